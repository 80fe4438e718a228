"""MIB file, generated from the catalogue of numbers by ``python -m docs.generate_metrics``; a test compares both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from textwrap import fill, indent

from hub.monitoring import snmp_values
from hub.monitoring.snmp_values import FIRST, STATES, form_of
from hub.status.catalogue import CATALOGUE, StatusSection
from hub.status.metric import Metric

HEAD = """\
HUBBUB-MIB DEFINITIONS ::= BEGIN

-- The objects that "hubbub snmp" answers with, under snmpd. See docs/snmp.rst.
--
-- The place of hubbubMIB is spelt out from the root, and the textual conventions are this module's own: so it can be
-- read where the standard modules are not installed, as on Debian, and Net-SNMP passes over the IMPORTS in silence.

IMPORTS
    MODULE-IDENTITY, OBJECT-TYPE, Counter64, Gauge32, Integer32, TimeTicks
        FROM SNMPv2-SMI
    TEXTUAL-CONVENTION
        FROM SNMPv2-TC
    MODULE-COMPLIANCE, OBJECT-GROUP
        FROM SNMPv2-CONF;

hubbubMIB MODULE-IDENTITY
    LAST-UPDATED "{updated}"
    ORGANIZATION "hubbub"
    CONTACT-INFO "The documentation of hubbub, chapter SNMP."
    DESCRIPTION
        "A message hub, its consumers and its backends.

        Its place is a placeholder: hubbub has no enterprise number, and
        netSnmpPlaypen is free for everybody's own use. Where another is
        wanted, change it in three places: here, in snmpd.conf, and as the
        option --base of 'hubbub snmp'."
{revisions}
    ::= {{ iso org(3) dod(6) internet(1) private(4) enterprises(1) netSnmp(8072)
          netSnmpExperimental(9999) netSnmpPlaypen(9999) 482 }}

HubbubName ::= TEXTUAL-CONVENTION
    DISPLAY-HINT "64a"
    STATUS       current
    DESCRIPTION  "The name of a consumer or a backend: letters, digits, '_', '.' and '-'."
    SYNTAX       OCTET STRING (SIZE (1..64))

HubbubText ::= TEXTUAL-CONVENTION
    DISPLAY-HINT "255a"
    STATUS       current
    DESCRIPTION  "A line of ASCII; other characters stand as escapes. '-' where there is nothing to say."
    SYNTAX       OCTET STRING (SIZE (1..255))

hubbubObjects     OBJECT IDENTIFIER ::= {{ hubbubMIB 1 }}
hubbubConformance OBJECT IDENTIFIER ::= {{ hubbubMIB 2 }}
hubbubHub         OBJECT IDENTIFIER ::= {{ hubbubObjects 1 }}
hubbubStore       OBJECT IDENTIFIER ::= {{ hubbubObjects 4 }}
"""
PREFIXES = {
    "hub": "hub",
    "consumers": "hubConsumer",
    "backends": "hubBackend",
    "store": "hubStore",
    "exporters": "hubExporter",
}
PARENTS = {"hub": "hubbubHub", "store": "hubbubStore"}
"""Parents of single objects; the other objects are columns of a table."""
NAMES = {("hub", "resident_bytes"): "hubResident"}
"""Names that can't be derived from the key and the form."""
TABLES = {
    "consumers": "The consumers, and queues that were left without one.",
    "backends": "The connections to buses.",
    "exporters": "The exporters of the numbers.",
}


@dataclass(frozen=True)
class Revision:
    """Revision of the MIB. :ivar date: UTC. :ivar columns: numbers of the objects that it added, by section."""

    date: str
    text: str
    columns: Mapping[str, Collection[int]]


REVISIONS = (
    Revision("202612010500Z", "Readers of declared queues.", {"consumers": (24,)}),
    Revision("202611291900Z", "Redelivered and unacknowledged messages of the backends.", {"backends": (26, 27)}),
    Revision("202611291800Z", "Unconfirmed messages of the backends.", {"backends": (25,)}),
    Revision(
        "202611290000Z",
        "Conditions and more numbers; the store; the exporters.",
        {
            "hub": range(9, 21),
            "store": range(1, 13),
            "consumers": range(16, 24),
            "backends": range(7, 25),
            "exporters": range(2, 6),
        },
    ),
    Revision(
        "202611210000Z",
        "The first.",
        {"hub": range(1, 9), "consumers": range(2, 16), "backends": range(2, 7)},
    ),
)
"""Revisions, the latest first. A test wants a new one for each new object."""


@dataclass(frozen=True)
class Object:
    """Object of the MIB: a scalar, or a column."""

    number: int
    name: str
    syntax: str
    text: str
    units: str = ""


VERSION = Object(1, "hubVersion", "HubbubText", "The version of the hub that runs.")
REASON = Object(8, "hubReason", "HubbubText", "Why hubReady is false; 'ok' when it is true.")
BACKEND_STATE = Object(
    3, "hubBackendState", "HubbubText", "What the backend says of itself: 'running', 'connecting', ..."
)
CONDITIONS = Object(
    snmp_values.CONDITIONS,
    "hubConsumerConditions",
    "HubbubText",
    "The words of all conditions that hold, the worst first, such as 'failing, paused'.",
)
TEXTS: Mapping[str, tuple[Object, ...]] = {
    "hub": (VERSION, REASON),
    "backends": (BACKEND_STATE,),
    "consumers": (CONDITIONS,),
}
STATE_TEXTS = {
    "hub": "What the hub is doing; down(1): it does not answer. Then there are no other objects but hubReady and "
    "hubReason, and the tables are empty.",
    "consumers": "What the consumer is doing. orphan(10): a queue that no consumer of the configuration has.",
    "store": "The state that the store is in.",
}
GROUPS = (
    ("hubbubHubGroup", "hub", False, 1),
    ("hubbubConsumerGroup", "consumers", False, 2),
    ("hubbubBackendGroup", "backends", False, 3),
    ("hubbubHubMoreGroup", "hub", True, 5),
    ("hubbubConsumerMoreGroup", "consumers", True, 6),
    ("hubbubBackendMoreGroup", "backends", True, 7),
    ("hubbubStoreGroup", "store", True, 8),
    ("hubbubExporterGroup", "exporters", True, 9),
)
"""Groups: name, section, whether it has the objects beyond the first revision, and number. 4 is the compliance."""


def object_name(metric: Metric) -> str:
    """Name of an object, such as ``hubConsumerOldestAgeMs``. Empty: the metric is not exported."""
    if metric.column is None:
        return ""
    if name := NAMES.get((metric.section, metric.key)):
        return name
    key, form = metric.known_as, form_of(metric)
    if form.unit == "kibibytes":
        key = f"{key.removesuffix('_bytes')}_KiB"
    name = "".join(f"{word[:1].upper()}{word[1:]}" for word in key.split("_"))
    return PREFIXES[metric.section] + name.removesuffix(form.ending) + form.ending


def render(catalogue: Iterable[StatusSection] = CATALOGUE) -> str:
    """Text of the MIB file."""
    objects = objects_of(catalogue)
    revisions = "\n".join(f'    REVISION "{one.date}"\n    DESCRIPTION "{one.text}"' for one in REVISIONS)
    parts = [HEAD.format(updated=REVISIONS[0].date, revisions=revisions)]
    for section in ("hub", "consumers", "backends", "store", "exporters"):
        parent = PARENTS.get(section) or f"{PREFIXES[section]}Entry"
        if section not in PARENTS:
            parts.append(_table(section, objects[section]))
        parts += [_described(each, parent) for each in objects[section]]
    for name, section, later, number in GROUPS:
        named = [each.name for each in objects[section] if (each.number > FIRST.get(section, 0)) == later]
        parts.append(_group(name, named, number))
    return "\n".join([*parts, _compliance(), "END\n"])


def objects_of(catalogue: Iterable[StatusSection] = CATALOGUE) -> dict[str, list[Object]]:
    """All readable objects by section, in the order of their numbers."""
    return {part.name: _objects(part) for part in catalogue if part.name in PREFIXES}


def _objects(part: StatusSection) -> list[Object]:
    found = [*TEXTS.get(part.name, ())]
    if part.label:
        found.append(Object(2, f"{PREFIXES[part.name]}Name", "HubbubName", f"The {part.label}'s name."))
    found += [_object(part.name, metric) for metric in part.metrics if metric.column is not None]
    return sorted(found, key=lambda each: each.number)


def _object(section: str, metric: Metric) -> Object:
    assert metric.column is not None
    if metric.kind == "states":
        words = [f"{_camel(word)}({number})" for word, number in STATES[section].items()]
        syntax = "INTEGER {\n" + ",\n".join(" " * 20 + word for word in words) + f"\n{' ' * 16}}}"
        return Object(metric.column, f"{PREFIXES[section]}State", syntax, STATE_TEXTS[section])
    form, text = form_of(metric), metric.help
    if metric.kind == "flag":
        text = f"True: {text.removeprefix('1: ')}"
    if form.unknown:
        text = f"{text.removesuffix('.')}. {form.unknown}: not known."
    return Object(metric.column, object_name(metric), form.syntax, text, form.unit)


def _camel(words: str) -> str:
    first, *others = words.split()
    return first + "".join(word.capitalize() for word in others)


def _described(each: Object, parent: str, access: str = "read-only") -> str:
    units = f'    UNITS       "{each.units}"\n' if each.units else ""
    return (
        f"{each.name} OBJECT-TYPE\n    SYNTAX      {each.syntax}\n{units}    MAX-ACCESS  {access}\n"
        f"    STATUS      current\n{_description(each.text)}    ::= {{ {parent} {each.number} }}\n"
    )


def _description(text: str) -> str:
    text = text.replace('"', "'")
    if len(text) <= 96:
        return f'    DESCRIPTION "{text}"\n'
    lines = indent(fill('"' + text + '"', 92), " " * 8)
    return f"    DESCRIPTION\n{lines}\n"


def _table(section: str, objects: Iterable[Object]) -> str:
    prefix = PREFIXES[section]
    table, entry, row = f"{prefix}Table", f"{prefix}Entry", f"{prefix[:1].upper()}{prefix[1:]}Entry"
    index = Object(1, f"{prefix}Index", "HubbubName", "")
    named = [(each.name, _short(each.syntax)) for each in (index, *objects)]
    width = max(len(name) for name, _ in named)
    columns = ",\n".join(f"    {name:<{width}} {syntax}" for name, syntax in named)
    about = "A row. Its index is the name itself, so that it stays what it is when other rows come and go."
    indexed = "The name, a number of the index for each character and none for their count."
    number = snmp_values.PLACES[section][1]
    hidden = "not-accessible"
    parts = [
        _described(Object(number, table, f"SEQUENCE OF {row}", TABLES[section]), "hubbubObjects", hidden),
        _described(Object(1, entry, row, about), table, hidden).replace(
            "    ::=", f"    INDEX       {{ IMPLIED {prefix}Index }}\n    ::="
        ),
        f"{row} ::= SEQUENCE {{\n{columns}\n}}\n",
        _described(Object(1, index.name, "HubbubName", indexed), entry, hidden),
    ]
    return "\n".join(parts)


def _short(syntax: str) -> str:
    return syntax.split(" ", 1)[0]


def _group(name: str, objects: Iterable[str], number: int) -> str:
    listed = ",\n".join(f"        {each}" for each in objects)
    return (
        f"{name} OBJECT-GROUP\n    OBJECTS {{\n{listed}\n    }}\n    STATUS      current\n"
        f'    DESCRIPTION "Objects of {name}."\n    ::= {{ hubbubConformance {number} }}\n'
    )


def _compliance() -> str:
    first, later = ([name for name, _, more, _ in GROUPS if more is wanted] for wanted in (False, True))
    return "\n".join(_complies(*each) for each in (("hubbubCompliance", first, 4), ("hubbubFullCompliance", later, 10)))


def _complies(name: str, groups: Iterable[str], number: int) -> str:
    text = "The first revision." if number == 4 else "All of it, with hubbubCompliance."
    listed = fill(", ".join(groups), 90, subsequent_indent=" " * 8)
    return (
        f'{name} MODULE-COMPLIANCE\n    STATUS      current\n    DESCRIPTION "{text}"\n    MODULE\n'
        f"    MANDATORY-GROUPS {{ {listed} }}\n    ::= {{ hubbubConformance {number} }}\n"
    )
