"""The words that questions are made of, so that what is left over can only be a name."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CUES: Final = _words(
    """
    affected affecting affects impact impacted users customers budget slo severity
    advice advise recommend recommended suggest suggestion propose proposed proposal remedy mitigate
    resolve solve repair action actions runbook playbook fix
    anomalies anomaly alert alerts alerting broken breaking degraded down error errors failed
    failing failure failures fault healthy health incident incidents issue issues outage problem
    problems slow status unhealthy working wrong happening alive
    apply approve approved approval approvals approves authorise authorised authorize authorized
    confirm confirmed permission granted execute proceed rollback restart scale undo
    before previously earlier happened history occurred similar seen happen
    began begin beginning long onset since start started when
    blame culprit cause caused causes explain reason root why because
    change changed changes changing config configuration deploy deployed deployment deployments
    release released releases rollout upgrade upgraded version shipped pushed
    compare compared comparison normal usual usually yesterday week difference different
    chart charts cpu dashboard graph graphs latency memory metric metrics numbers throughput traffic
    exception exceptions log logged logs lines messages stacktrace
    help overview stop summary cancel abort halt quit
    acknowledge assign assigned assignee snooze reopen oncall
    fired firing paged recover recovered recovering recovers rate rates percentile
    kill delete reboot drop drain cordon
    calls caller callers callees depend depends dependency dependencies dependents downstream
    upstream neighbours neighbors topology evidence proof report reports postmortem
    certain confident
    span spans trace traces request requests
    """
)
"""Words that say what is wanted. Typing errors in them are mended."""

COMMON: Final = _words(
    """
    a about above ack after again ago ahead all almost already also always am an and another any
    anybody anyone anything anyway app apps are around as ask at away back bad be been behind
    being below best better between big blast both but by call came can cannot carry check
    cluster come could current currently damn day days did do does doing done each either else
    end enough even ever every everybody everyone everything far few find fine first fixed for
    from full further gave get give given go goes going gone good got great had happens has have
    having he heck hell hello help her here hey hi high him his hmm hour hours how however hows
    hurt i if in instead into is isn it its just keep kept kind know known kubernetes last late
    later latest least less let like list little look looking looks lot low machine made make
    many may maybe me mean means might mind mine minute minutes moment month months more morning
    most much must my name named namespace namespaces near need never new next nice night no
    nobody node nodes none nope normal not nothing now of off often oh ok okay old on once one
    only open or other others our out over own past pending people perhaps place please plot pls
    plz pod pods point possible prod production pull put quick quickly quite radius rather read
    really recent recently right roll rolled run running said same say says second seconds see
    seem seems send service services set several shall she should show shows side so some
    somebody someone something sometimes soon sorry stack still stuff such sure system tail take
    team tell than thank thanks that the their them then there these they thing things think
    this tho those though through thx time times to today together tonight too took top toward
    try turn two under until up upon us usage use used using versus very via vs wait want wanted
    was way we well went were what whatever whats where wheres whether which while who whole
    sleep talk talks tl dr whom whose will with without work would wtf yeah yep yes yet you your
    """
)
"""Words that say nothing about what is wanted, and are no names."""
