"""The words Chinese and Latin addresses are made of, each written down with the part it ends or names.

A suffix tells what the words before it are (路 a street, 小区 an estate). The costs that weigh one reading against
another stand in `chinese`; a city's own names are not here: they come in as `Names`.
"""


def _listed(said: str) -> tuple[str, ...]:
    return tuple(said.split())


_PLAIN_PROVINCES = _listed("""
    北京市 天津市 上海市 重庆市 河北省 山西省 辽宁省 吉林省 黑龙江省 江苏省 浙江省 安徽省 福建省 江西省 山东省
    河南省 湖北省 湖南省 广东省 海南省 四川省 贵州省 云南省 陕西省 甘肃省 青海省 台湾省
""")
# A province by its short form.
PROVINCES = {full[:-1]: full for full in _PLAIN_PROVINCES} | {
    "内蒙古": "内蒙古自治区",
    "广西": "广西壮族自治区",
    "西藏": "西藏自治区",
    "宁夏": "宁夏回族自治区",
    "新疆": "新疆维吾尔自治区",
    "香港": "香港特别行政区",
    "澳门": "澳门特别行政区",
}

CITIES = _listed("""
    石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水 太原 大同 阳泉 长治 晋城 朔州 晋中 运城 忻州 临汾
    吕梁 呼和浩特 包头 乌海 赤峰 通辽 鄂尔多斯 呼伦贝尔 巴彦淖尔 乌兰察布 沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口
    阜新 辽阳 盘锦 铁岭 朝阳 葫芦岛 长春 四平 辽源 通化 白山 松原 白城 哈尔滨 齐齐哈尔 鸡西 鹤岗 双鸭山 大庆 伊春
    佳木斯 七台河 牡丹江 黑河 绥化 南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁 杭州 宁波 温州
    嘉兴 湖州 绍兴 金华 衢州 舟山 台州 丽水 合肥 芜湖 蚌埠 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州
    池州 宣城 福州 厦门 莆田 三明 泉州 漳州 南平 龙岩 宁德 南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶
    济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 泰安 威海 日照 临沂 德州 聊城 滨州 菏泽 郑州 开封 洛阳 平顶山 安阳 鹤壁
    新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳 周口 驻马店 武汉 黄石 十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈
    咸宁 随州 长沙 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 永州 怀化 娄底 广州 韶关 深圳 珠海 汕头 佛山 江门
    湛江 茂名 肇庆 惠州 梅州 汕尾 河源 阳江 清远 东莞 中山 潮州 揭阳 云浮 南宁 柳州 桂林 梧州 北海 防城港 钦州 贵港
    玉林 百色 贺州 河池 来宾 崇左 海口 三亚 三沙 儋州 成都 自贡 攀枝花 泸州 德阳 绵阳 广元 遂宁 内江 乐山 南充 眉山
    宜宾 广安 达州 雅安 巴中 资阳 贵阳 六盘水 遵义 安顺 毕节 铜仁 昆明 曲靖 玉溪 保山 昭通 丽江 普洱 临沧 拉萨 西安
    铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 安康 商洛 兰州 嘉峪关 金昌 白银 天水 武威 张掖 平凉 酒泉 庆阳 定西 陇南 西宁
    海东 银川 石嘴山 吴忠 固原 中卫 乌鲁木齐 克拉玛依 吐鲁番 哈密 北京 天津 上海 重庆
""")

# Districts whose name ends like an estate's.
NEW_AREAS = ("浦东新区", "滨海新区")

# What a name's last characters make of it; the longest suffix that fits is the one that counts.
STREET = _listed("""
    路 街 大街 大道 巷 胡同 公路 国道 省道 县道 乡道 高速 环线 支路 横路 弄 道 环路 快速路 辅路 专线 里弄
    步行街 商业街 美食街 小街 后街 前街 直街 横街 老街 正街 小巷 支巷 马路 高架 高架路 绿道 中路 东路 西路 南路 北路
""")
DISTRICT = _listed("""
    区 县 市 旗 自治县 自治旗 林区 特区
""")
TOWN = _listed("""
    街道办事处 街道办 街道 镇 乡 苏木 民族乡 镇政府
""")
COMMUNITY = _listed("""
    社区 村 村委会 村委 村民委员会 居委会 社区居委会 行政村 自然村 社区居民委员会 居民委员会 屯 嘎查 庄 村村委会
    经济合作社 村部
""")
LINES_AND_DIVISIONS = {"district": DISTRICT, "town": TOWN, "community": COMMUNITY, "street": STREET}
# Streets named by nothing but their place.
PLAIN_STREETS = _listed("""
    正街 老街 后街 前街 东街 西街 南街 北街 中街 步行街 大街 新街 横街 直街
""")

# Estates, compounds and whatever else a place is named after: first the words of two characters or more, then the
# single characters that say less.
ESTATE = _listed("""
    小区 花园 花苑 家园 公寓 大厦 广场 新村 新苑 公馆 大院 家属院 宿舍 山庄 别墅 名邸 豪庭 华庭 雅苑 名苑 嘉苑 佳苑
    景苑 家苑 锦苑 名园 雅园 嘉园 庭院 新城 名城 华府 国际 人家 商厦 大楼 中心 写字楼 商务楼 综合楼 办公楼 宿舍楼
    教学楼 行政楼 住宅楼 门诊楼 住院部 裙楼 工业区 工业园 工业园区 工业城 工业小区 开发区 经济开发区 技术开发区 新区
    高新区 高新园区 园区 科技园 科技园区 科技城 产业园 产业园区 创业园 创意园 创新园 软件园 物流园 电商园 文创园
    孵化园 研发园 科创园 商务园 商务区 示范园 保税区 度假区 风景区 景区 试验区 生活区 厂区 校区 院区 库区 住宅区
    别墅区 商贸区 市场 批发市场 菜市场 农贸市场 商场 商城 商贸城 服装城 轻纺城 皮革城 五金城 建材城 汽配城 汽车城
    装饰城 家居城 电器城 模具城 电子城 珠宝城 数码城 食品城 机电城 鞋城 文化城 影城 电影院 影院 剧院 百货 超市 商店
    便利店 专卖店 旗舰店 体验店 购物中心 商业中心 购物广场 生活广场 商业广场 购物公园 水果店 药店 药房 大药房 书店
    网吧 酒店 大酒店 宾馆 饭店 旅馆 旅店 招待所 会所 会馆 餐厅 餐馆 饭庄 食堂 茶楼 酒楼 咖啡 客栈 民宿 医院 人民医院
    中医院 卫生院 卫生所 诊所 门诊 门诊部 妇保院 学校 小学 中学 高中 初中 大学 学院 职业技术学院 幼儿园 幼稚园 技校
    党校 分校 公司 有限公司 有限责任公司 股份有限公司 分公司 总公司 集团 集团公司 工厂 厂房 总厂 分厂 加工厂 印刷厂
    五金厂 服装厂 鞋厂 电镀厂 修理厂 木材厂 家具厂 食品厂 机械厂 塑料厂 造船厂 银行 信用社 支行 分行 营业部 营业厅
    邮局 邮政局 供电局 税务局 地税局 国税局 公安局 教育局 财政局 派出所 法院 检察院 政府 市政府 区政府 县政府 镇政府
    村委 办事处 事务所 研究所 研究院 设计院 服务中心 管理处 管理局 管理委员会 管委会 委员会 火车站 汽车站 客运站
    客运中心 地铁站 公交站 加油站 收费站 服务区 停车场 体育馆 体育场 图书馆 博物馆 展览馆 文化馆 美术馆 纪念馆
    少年宫 文化宫 公园 动物园 植物园 码头 机场 大桥 仓库 基地 农场 林场 水库 教堂 敬老院 养老院 福利院 大剧院 专柜
    驿站 快递 门市 门市部 服务部 经营部 销售部 项目部 工作室 美容院 美发 理发店 服饰 鞋业 药业 木业 电器 汽修 修理部
    养护 洗车 美食 酒吧 大排档 奶茶店 面馆 小吃 火锅 餐饮 食品 母婴店 服装店 手机店 童装 女装 科技 电子 印刷 教育
    机械 物流 家具 家居 装饰 建材 贸易 实业 制衣 鞋材 布艺 皮具 汽车 传媒 网络 商贸 包装 化工 塑业 管业 阀门 电气
    电力 自控 模具 工地 通信 电信 联通 培训 医药 生物 环保 纺织 针织 印染 染整 五金 塑料 橡胶 玻璃 陶瓷 灯饰 灯具
    眼镜 珠宝 工艺 礼品 文具 玩具 箱包 鞋服 服装 制衣厂 物业 网点 售楼处 售楼部 展厅 展览中心 车间 车库 车厢 门卫
    门卫室 保安室 传达室 前台 大厅 大堂 收发室 办公室 财务部 财务室 技术部 采购部 会议室 行政部 市场部 地铁 总部
    俱乐部 健身房 专营店 精品店 连锁店 分店 总店 直营店 商行 车行 花店 茶庄 文创 公社 合作社 服务站 东区 南区 西区
    北区 中区 一区 二区 三区 四区 五区 六区 七区 八区 九区 十区 东苑 西苑 南苑 北苑 一期 二期 三期 四期 东门 西门
    南门 北门 后门 前门 正门 大门 侧门 社 店 楼 城 苑 园 庭 府 湾 郡 邸 轩 阁 居 舍 寓 墅 厂 馆 院 所 局 站 校 场 坊
    里 桥 寺 庙 塔 港 处 部 团 座 行 吧 寨
""")

# Marks of a place beside another one. Degrees from north, clockwise.
BEARINGS = {"东北": 45, "东南": 135, "西南": 225, "西北": 315, "东": 90, "南": 180, "西": 270, "北": 0}
SIDES = _listed("""
    侧 面 边 角 头 首 端 方向 向 恻
""")
NEAR = _listed("""
    小区内 小区里 小区门口 小区大门口
    斜对面 正对面 对面 对过 旁边 旁 附近 周边 门口 大门口 路口旁 隔壁 后面 前面 背后 楼下 楼上 院内 门前 屋后 边上
    路边 岸边 河边 湖边 水边 街上 里面 外面 左侧 右侧 左边 右边 中间 内侧 外侧 入口处 出口处 拐角处 拐角 转角处 转角
    沿线 一带 沿街 内 外
""")
CROSSING = _listed("""
    交叉口 交汇处 交汇口 交叉路口 交界处 交界口 十字路口 丁字路口 三岔路口 岔路口 交叉处 交口 交会处 交岔口 相交处
    交叉 交汇 交界 路口 街口 巷口 口
""")
JOINS = _listed("""
    与 和 跟 及 同 、 / & 交
""")

# Said beside an address, never part of one.
NOISE = _listed("""
    电联 市辖区 请电联 其它区 其他区 城区 自取 丰巢快递柜 丰巢柜 反映 市民反映 来电反映 位于 发生在 发生 地址 地点
    现场 投诉 举报 本人在 我在 有人在 有人 存在 该处 目前 希望 要求 请求 尽快 处理 情况 问题 来电 称 诉求 您好 你好
    请问
""")

# Said of where the reporter lives; and said when that is the place.
HOME = _listed("""
    家住 住在 居住于 居住在 现住 住址 住于 租住在 租住于 租住 我住 本人住 户籍地 户籍 家庭住址 家庭地址 联系地址
    居住地址
""")
HOME_IS_PLACE = _listed("""
    我家 家门口 本小区 我们小区 我小区 我们楼 本楼 楼下 楼上 楼道 该小区 小区内 小区里 小区门口 我们村 本村 隔壁
    邻居
""")

# Latin script: street types with the short forms and the slips seen most, the full word first.
_STREET_TYPES = (
    "street str steet streer streeet stret",
    "avenue ave av aven avene aveneu avenu",
    "road rd",
    "place pl",
    "boulevard blvd boul",
    "drive dr drv",
    "lane ln",
    "court ct crt",
    "terrace ter terr",
    "parkway pkwy pky pkway",
    "square sq",
    "plaza plz",
    "heights hts",
    "expressway expy expwy",
    "highway hwy",
    "turnpike tpke tpk",
    "circle cir",
    "crescent cres",
    "center centre ctr",
    "alley aly",
    "extension ext",
    "bridge brg",
    "park",
    "row",
    "walk",
    "way",
    "loop",
    "slip",
    "oval",
    "mews",
    "concourse conc",
    "promenade prom",
    "embankment",
    "esplanade",
    "gardens gdns",
    "fort ft",
    "mount mt",
)
STREET_TYPES = {short: line.split()[0] for line in _STREET_TYPES for short in line.split()}
DIRECTIONS = {"n": "north", "s": "south", "e": "east", "w": "west", "no": "north", "so": "south"}
_COUNTED = _listed("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth")
ORDINALS = {word: str(value) for value, word in enumerate(_COUNTED, 1)}
