"""docs/acting.md says of every fault that the lab makes what is proposed, or that people decide."""

from pathlib import Path

from aiops_lab.faults.catalogue import KINDS

TABLE = Path(__file__).parents[2] / "docs" / "acting.md"


def test_every_fault_of_the_lab_stands_in_the_table_of_what_is_proposed() -> None:
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    first = " ".join(line.split("|")[1] for line in rows)
    assert [fault.name for fault in KINDS if f"`{fault.name}`" not in first] == []
