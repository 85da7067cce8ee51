"""Made-up names for the demo city, in Chinese and in Latin letters, drawn without repetition from our own words."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

CITY = ("禾川市", "Hechuan City")
CITY_LABEL = ("禾川市（演示，虚构）", "Hechuan (demo, made up)")
DISTRICTS = (("禾阳区", "Heyang District"), ("望山区", "Wangshan District"), ("南浦区", "Nanpu District"))
RIVER, BROOK, LAKE = ("禾水", "Heshui River"), ("芦溪", "Luxi Brook"), ("镜湖", "Jinghu Lake")
FOREST_PARK = ("望山森林公园", "Wangshan Forest Park")

# Our own syllables: a sign and how it is said.
_SAID = (
    "禾he 稻dao 穗sui 桑sang 麻ma 葵kui 柳liu 槐huai 桐tong 枫feng 松song 柏bai 竹zhu 梅mei 兰lan "
    "菊ju 荷he 莲lian 桂gui 杏xing 桃tao 李li 梨li 棠tang 榆yu 楠nan 樟zhang 芦lu 蒲pu 萍ping "
    "泉quan 溪xi 河he 湖hu 塘tang 池chi 渠qu 井jing 桥qiao 渡du 浦pu 湾wan 洲zhou 岸an 滩tan "
    "山shan 岭ling 峰feng 岗gang 坡po 石shi 岩yan 台tai 亭ting 楼lou 阁ge 塔ta 坊fang 园yuan "
    "苑yuan 庭ting 院yuan 里li 门men 巷xiang 东dong 西xi 南nan 北bei 中zhong 上shang 下xia "
    "前qian 后hou 左zuo 右you 内nei 外wai 新xin 老lao 大da 小xiao 长chang 安an 康kang 宁ning 和he "
    "平ping 顺shun 吉ji 祥xiang 瑞rui 福fu 禄lu 寿shou 喜xi 庆qing 丰feng 盛sheng 兴xing 旺wang "
    "昌chang 荣rong 华hua 明ming 德de 仁ren 义yi 礼li 智zhi 信xin 诚cheng 敬jing 学xue 文wen "
    "书shu 墨mo 翰han 雅ya 清qing 秀xiu 翠cui 碧bi 青qing 金jin 银yin 玉yu 珠zhu 云yun 霞xia "
    "虹hong 星xing 月yue 晨chen 朝zhao 晓xiao 春chun 夏xia 秋qiu 冬dong 雪xue 风feng 雨yu 露lu "
    "雁yan 燕yan 鹤he 鹭lu 凤feng 龙long 麟lin 马ma 机ji 纺fang 织zhi 盐yan 米mi 布bu 茶cha 铁tie "
    "铜tong 瓷ci 纸zhi 船chuan 仓cang 市shi 站zhan 水shui 阳yang 望wang 镜jing 红hong 白bai "
    "光guang 辉hui 环huan 城cheng 滨bin 迎ying 宾bin 建jian 设she 人ren 民min 解jie 放fang "
    "胜sheng 利li 团tuan 结jie 复fu 创chuang 业ye 科ke 技ji 森sen 林lin 公gong 溢yi 景jing 锦jin "
    "绣xiu 映ying 江jiang 御yu 府fu 嘉jia 悦yue 逸yi 尚shang 品pin 居ju 家jia 天tian 地di 海hai "
    "心xin 一yi 二er 三san 四si 五wu 六liu 七qi 八ba 九jiu 十shi 条tiao 钟zhong 鼓gu 棋qi 琴qin "
    "画hua 绿lv 都du 路lu 街jie "
)
PINYIN = {part[0]: part[1:].replace("lv", "lyu") for part in _SAID.split()}

_ROAD_FIRST = (
    "禾穗桑柳槐桐枫松柏竹梅兰荷莲桂杏棠榆芦泉溪清秀翠碧金玉云霞星月晨春秋雁燕"
    "鹤鹭凤龙文墨书翰雅德仁义信诚和安康宁平顺吉祥瑞福庆丰盛兴昌荣华明石"
)
_ROAD_SECOND = "阳山泉溪河湖塘桥渡浦湾洲岸岭峰台亭楼阁塔坊园庭门宁安康和平顺祥瑞丰盛兴昌荣华明德文林光辉"
_OLD_FIRST = "盐米布茶铁铜瓷纸船仓马井鼓钟书棋琴画竹柳槐桂石塔"
_OLD_SECOND = "市坊桥井楼台亭塘渡仓园门"
_ESTATE_FIRST = "锦翠碧金玉云星月清秀雅逸悦嘉景水映江御和安康福瑞丰荣华阳春枫桂兰荷莲竹松天新"
_ESTATE_SECOND = "绣溪湖湾岸山林苑园庭府华景都城家居阁台品荣"
_NUMERALS = "一二三四五六七八九十"
ESTATE_WORDS = {
    "slab": (("小区", "Estate"), ("新村", "Village"), ("花园", "Garden"), ("家园", "Homes")),
    "tower": (("公馆", "Mansion"), ("华庭", "Court"), ("国际", "International"), ("名邸", "Residence")),
    "villa": (("别墅", "Villas"), ("庄园", "Manor")),
    "village": (("村", "Village"),),
    "industry": (
        ("纺织厂", "Textile Mill"),
        ("机械厂", "Machine Works"),
        ("科技园", "Tech Park"),
        ("物流园", "Logistics Park"),
    ),
    "office": (("大厦", "Tower"), ("广场", "Plaza"), ("商务中心", "Business Centre")),
    "school": (("小学", "Primary School"), ("中学", "Middle School"), ("实验学校", "School")),
    "hospital": (("医院", "Hospital"),),
    "market": (("农贸市场", "Market"), ("批发市场", "Wholesale Market")),
}  # fmt: skip
SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅"
    "沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭"
)
_GIVEN = (
    "伟芳娜敏静丽强磊洋艳勇军杰娟涛明超秀霞平刚桂英华玉兰建国志红文斌宇浩然欣怡晨曦嘉瑞雪梅海波春燕立新永康佳慧思远"
)


@dataclass(frozen=True)
class Name:
    """A name in Chinese and in Latin letters."""

    zh: str
    en: str


def latin(text: str) -> str:
    """Spell signs in Latin letters, the first one capital."""
    return "".join(PINYIN.get(sign, "") for sign in text).capitalize()


class Namer:
    """Draw names that have not been drawn before."""

    def __init__(self, rng: np.random.Generator, spoken_for: Collection[str] = ()) -> None:
        self._roads = (stem for stem in _pairs(rng, _ROAD_FIRST, _ROAD_SECOND) if stem not in spoken_for)
        old = set(spoken_for) | {a + b for a in _ROAD_FIRST for b in _ROAD_SECOND}
        self._old = (stem for stem in _pairs(rng, _OLD_FIRST, _OLD_SECOND) if stem not in old)
        self._estates = _pairs(rng, _ESTATE_FIRST, _ESTATE_SECOND)
        self._rng = rng

    def road_stem(self, old: bool) -> str:
        """Return two signs for a road; in the old town trades and gates, as long as they last."""
        return next(self._old if old else self._roads, None) or next(self._roads)

    def estate_stem(self) -> str:
        """Return two signs for an estate."""
        return next(self._estates)

    def person(self) -> str:
        """Return the name of nobody: a surname and one or two signs."""
        given = self._rng.choice(list(_GIVEN), size=int(self._rng.integers(1, 3)))
        return str(self._rng.choice(list(SURNAMES))) + "".join(given)


def numeral(number: int) -> str:
    """Write 1 to 99 in Chinese; larger numbers in figures."""
    if number > 99:
        return str(number)
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else _NUMERALS[tens - 1] + "十")
    return head + (_NUMERALS[ones - 1] if ones else "")


def _pairs(rng: np.random.Generator, firsts: str, seconds: str) -> Iterator[str]:
    """Yield every two-sign name in random order; when all are used, start again with 新 before them."""
    stems = [a + b for a in dict.fromkeys(firsts) for b in dict.fromkeys(seconds) if a != b]
    rng.shuffle(stems)
    prefixes = ("", "新", "上", "下", "东", "西", "南", "北", "大", "小", "前", "后", "老")
    more = (first + second for first in prefixes[1:] for second in prefixes[1:] if first != second)
    return (prefix + stem for prefix in chain(prefixes, more) for stem in stems)
