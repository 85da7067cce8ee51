"""What people of the demo city report, in words of ours: a topic, where and when it happens, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass

SCHEME, VERSION = "cg", "2013"
# Where a topic happens: at a door on a street, inside an estate, at the water, in a park, at a component.
STREET, HOME, WATER, PARK, COMPONENT = "street", "home", "water", "park", "component"
# When: chances by hour of the day, six stretches of four hours from midnight.
DAY, EVENING, NIGHT, ANY = (1, 3, 9, 8, 5, 2), (0, 1, 4, 4, 9, 5), (5, 1, 1, 1, 4, 9), (2, 3, 7, 7, 6, 3)


# Which condition of the demo city's standard a telling describes, where it is not the first.
CONDITIONS = {
    "E0101": (1, 3), "E0111": (2, 1), "E0113": (2, 2), "E0192": (1, 2), "E0401": (1, 2), "E0406": (2,),
    "E0408": (2, 2), "E0410": (2, 2), "E0496": (2,), "E0506": (2, 1), "P0101": (2,), "P0103": (2,), "P0137": (1, 2),
    "P0402": (2, 1), "T0103": (1, 2), "T0104": (2,), "T0111": (1, 2), "T0116": (2,),
}  # fmt: skip
# What a hotline calls a request, by its major class; everything else is a complaint.
REQUESTS = {"P01": "help", "E05": "help", "T01": "complain", "P04": "help"}
# What people only want to know, by what it is about.
QUESTIONS = {
    "E0110": "请问{at}的生活垃圾每天几点清运？", "E0113": "请问{at}的路面维修什么时候完工？",
    "E0401": "请问{at}的路边停车怎么收费？", "E0410": "请问{at}附近哪里可以停放共享单车？",
}  # fmt: skip


@dataclass(frozen=True)
class Topic:
    """A category and how it is told; {at} stands for the place in words."""

    category: str
    weight: float
    where: str
    hours: tuple[int, ...]
    told: tuple[str, ...]

    def condition(self, nth: int) -> int:
        """Return the filing condition that a telling describes."""
        conditions = CONDITIONS.get(self.category, ())
        return conditions[nth] if nth < len(conditions) else 1

    @property
    def request(self) -> str:
        """Name the type of request a hotline takes it for."""
        return REQUESTS.get(self.category[:3], "complain")


TOPICS = (
    Topic(
        "E0110",
        9,
        STREET,
        DAY,
        (
            "{at}有一堆生活垃圾没人清，味道很大。",
            "{at}路边垃圾散了一地，请派人清运。",
            "{at}垃圾袋堆在人行道上两天了。",
        ),
    ),
    Topic("E0111", 5, STREET, DAY, ("{at}有人倒了一车渣土，占了半条路。", "{at}装修垃圾堆了一个多星期没人管。")),
    Topic("E0192", 5, HOME, DAY, ("{at}垃圾桶满了溢出来，希望增加清运次数。", "{at}的垃圾点位每天下午都满溢。")),
    Topic("E0112", 3, STREET, DAY, ("{at}路面很脏，落叶和尘土没有清扫。",)),
    Topic("E0113", 5, STREET, DAY, ("{at}路面有个坑，电动车差点摔倒。", "{at}人行道地砖破损松动，下雨溅水。")),
    Topic("E0505", 0.6, STREET, DAY, ("{at}路面突然塌陷，约一米见方，十分危险！",)),
    Topic("E0506", 2, STREET, ANY, ("{at}一下雨就积水，行人没法走。", "{at}积水约二十厘米，车辆绕行。")),
    Topic("P0101", 1.5, COMPONENT, DAY, ("{at}井盖松动，车一过就响，晚上睡不着。",)),
    Topic("P0103", 1.5, COMPONENT, DAY, ("{at}雨水井盖破损，有缺口，请尽快处理。",)),
    Topic("P0123", 0.8, COMPONENT, DAY, ("{at}有个井盖不见了，上面没有单位标识，已放树枝警示。",)),
    Topic("P0137", 4, COMPONENT, EVENING, ("{at}路灯不亮，晚上一片漆黑。", "{at}连着三盏路灯坏了。")),
    Topic("P0402", 1.5, COMPONENT, DAY, ("{at}行道树枝条压到电线，请修剪。", "{at}有棵树倾斜，担心倒下来。")),
    Topic("E0508", 1.5, STREET, DAY, ("{at}有线缆垂落，离地不到两米。",)),
    Topic("E0503", 2.5, HOME, ANY, ("{at}下水道堵了，污水往外冒。", "{at}化粪池外溢，楼前全是污水。")),
    Topic(
        "E0401",
        5,
        STREET,
        EVENING,
        ("{at}流动摊贩占了人行道，油污满地。", "{at}每天傍晚有三四辆三轮车摆摊，人走车不让。"),
    ),
    Topic("E0405", 3, STREET, DAY, ("{at}商户把货摆到店外，行人只能走机动车道。",)),
    Topic("E0406", 4, STREET, EVENING, ("{at}占道经营，堵得消防车都进不来。",)),
    Topic("E0129", 2, STREET, NIGHT, ("{at}烧烤摊油烟大，半夜还在划拳。",)),
    Topic("E0410", 5, STREET, DAY, ("{at}共享单车堆成山，盲道被占。", "{at}非机动车乱停放，无障碍坡道被堵住。")),
    Topic("E0408", 5, STREET, DAY, ("{at}机动车违停，公交车进不了站。", "{at}路口常年停着两辆面包车，挡视线。")),
    Topic("E0496", 2, HOME, EVENING, ("{at}消防通道停满了车，劝了不听。",)),
    Topic("E0201", 2, STREET, DAY, ("{at}墙上、电线杆上贴满小广告。",)),
    Topic(
        "E0301", 4, HOME, NIGHT, ("{at}有工地夜里一点还在打桩，孩子要考试。", "{at}有工地凌晨倒混凝土，影响休息。")
    ),
    Topic("E0304", 2, STREET, DAY, ("{at}工地扬尘大，没有洒水也没有遮盖。",)),
    Topic("E0311", 1.5, STREET, NIGHT, ("{at}渣土车没有密闭，一路撒土。",)),
    Topic("E0125", 2, WATER, DAY, ("{at}水面漂着垃圾和水草，有异味。",)),
    Topic("E0126", 1.2, WATER, ANY, ("{at}有排口往河里排黑水。",)),
    Topic("E0117", 2, PARK, DAY, ("{at}绿地里有白色垃圾，草也枯了。",)),
    Topic("E0191", 1, HOME, DAY, ("{at}有人把绿地铲了种菜。",)),
    Topic("E0128", 3, HOME, NIGHT, ("{at}楼下门店放音乐到半夜，多次沟通无果。", "{at}广场舞音响太大。")),
    Topic("E0101", 2, HOME, DAY, ("{at}楼顶有人私搭阳光房，正在施工。", "{at}一楼住户往外扩建，占了公共通道。")),
    Topic("T0101", 2, HOME, EVENING, ("{at}楼下饭馆油烟直排，窗户不敢开。",)),
    Topic("T0103", 3, HOME, DAY, ("{at}物业不作为，门禁坏了三个月。", "{at}物业费涨价没有公示。")),
    Topic("T0104", 2, HOME, DAY, ("{at}电梯经常停运，老人上下楼困难。",)),
    Topic("T0105", 2, HOME, ANY, ("{at}顶楼漏雨，多次报修无人来。",)),
    Topic("T0111", 2, HOME, EVENING, ("{at}有人从楼上拉线给电动车充电。", "{at}楼道堆满杂物，烟感也坏了。")),
    Topic("E0184", 1.5, HOME, EVENING, ("{at}遛狗不牵绳，吓到孩子。",)),
    Topic("E0596", 0.6, HOME, ANY, ("{at}外墙瓷砖脱落，砸到楼下的车。",)),
    Topic("T0107", 1, STREET, DAY, ("{at}买的熟食发霉，店家不认。",)),
    Topic("T0115", 1, STREET, NIGHT, ("{at}有黑车揽客，堵在路口。",)),
    Topic("T0116", 1, STREET, DAY, ("{at}路口信号灯配时太短，老人过不去。",)),
)
# Told in words that no map knows; an operator has to ask back.
NOWHERE = {
    STREET: ("单位后面那条小路", "菜市场旁边"), HOME: ("我们小区", "我家这边"), WATER: ("坐公交路过的河边",),
    PARK: ("常去散步的公园",), COMPONENT: ("我家门口", "单位后门"),
}  # fmt: skip
# What gathers around a hotspot, and how widely in metres.
GATHERINGS = (
    ("market", 110.0, ("E0401", "E0406", "E0405", "E0110", "E0129")),
    ("office", 130.0, ("E0410", "E0408", "T0115")),
    ("village", 150.0, ("E0110", "E0192", "T0111", "E0503")),
    ("tower", 120.0, ("E0301", "E0304", "E0311")),
    ("wall", 60.0, ("E0101", "E0111", "E0110")),
    ("gap", 40.0, ("E0111", "E0110", "E0112")),
    ("exclave", 90.0, ("E0192", "E0112", "T0103")),
)
