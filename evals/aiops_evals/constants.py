"""The named numbers that decide a ranking, found in the source, and one of them rewritten.

A constant is copied into defaults and into other modules when they are imported, so setting an
attribute afterwards changes only part of what it decides. Here the literal itself is rewritten,
and everything that could have copied it is imported again.
"""

import ast
import importlib
import io
import sys
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType

PACKAGE = "aiops.analyze"
Place = tuple[int, int, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Constant:
    """One number of a module.

    Attributes:
        module: dotted name.
        name: as assigned; "WEIGHT[Kind.CPU]" for an entry of a table.
        value: of a table's entry or of the whole expression ("16 * 2**20").
        place: of the number in the source: first line and column, last line and column, as in ast.
        reason: what the comment or docstring beside it says; "" where there is none.
    """

    module: str
    name: str
    value: int | float
    place: Place
    reason: str

    @property
    def halved(self) -> int | float | None:
        """Half of it, rounded towards zero for a count; None where no other count is left."""
        if isinstance(self.value, float):
            return self.value / 2 or None
        return int(self.value / 2) or None

    @property
    def doubled(self) -> int | float | None:
        """Twice as much; None for 0."""
        return self.value * 2 or None


def constants_of(module: str, source: str) -> list[Constant]:
    """The numbers that ``source`` assigns to names at module level, in order.

    Numbers in public tables count one by one. Those in private tables do not: they define units
    and codes, and decide nothing.
    """
    body = ast.parse(source).body
    comments = _comments(source)
    found = []
    for statement, following in zip(body, [*body[1:], None], strict=True):
        for name, number in _assigned(statement):
            value = _value(number)
            if value is not None:
                reason = _docstring(following) or _comment(comments, statement, number)
                found.append(Constant(module, name, value, _place(number), reason))
    return found


def reached_from(module: str, package: str = PACKAGE) -> frozenset[str]:
    """``module`` and every module of ``package`` that it imports, by itself or through others.

    Imports inside functions count; nothing is imported to find out.
    """
    reached: set[str] = set()
    front = [module]
    while front:
        name = front.pop()
        if name not in reached:
            reached.add(name)
            front.extend(_imported(name, package))
    return frozenset(reached)


def source_of(module: str) -> str:
    """The text of ``module``."""
    return _file_of(module).read_text(encoding="utf-8")


@contextmanager
def imported_anew(
    constant: Constant | None, value: float | None, package: str = PACKAGE
) -> Iterator[None]:
    """Inside, importing from ``package`` gives modules in which ``constant`` is ``value``.

    Objects made inside keep their modules after it; outside, the old modules are back.

    Args:
        constant: None for fresh modules that say what the source says.
    """
    parent, _, child = package.rpartition(".")
    importlib.import_module(package)
    kept = {name: module for name, module in sys.modules.items() if _within(name, package)}
    finder = _Rewriting(constant, value)
    _forget(package)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _forget(package)
        sys.modules.update(kept)
        if parent:
            setattr(sys.modules[parent], child, kept[package])


class _Rewriting(MetaPathFinder):
    """Finds one module, and gives it another number."""

    def __init__(self, constant: Constant | None, value: float | None) -> None:
        self._constant, self._value = constant, value

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        if self._constant is None or fullname != self._constant.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)  # type: ignore[arg-type]
        if spec is not None and spec.origin is not None:
            spec.loader = _Rewritten(fullname, spec.origin, self._constant, self._value)
        return spec


class _Rewritten(SourceFileLoader):
    """Compiles the source with one number changed, past any cached bytecode."""

    def __init__(self, fullname: str, path: str, constant: Constant, value: float | None) -> None:
        super().__init__(fullname, path)
        self._constant, self._value = constant, value

    def get_code(self, fullname: str) -> CodeType:
        tree = _Rewriter(self._constant, self._value).visit(
            ast.parse(self.get_data(self.get_filename(fullname)))
        )
        return compile(ast.fix_missing_locations(tree), self.path, "exec")


class _Rewriter(ast.NodeTransformer):
    def __init__(self, constant: Constant, value: float | None) -> None:
        self._place, self._value = constant.place, value

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and _place(node) == self._place:
            return ast.copy_location(ast.Constant(self._value), node)
        return super().generic_visit(node)


def _place(node: ast.expr) -> Place:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The names a statement assigns, entries of tables by key, each with its expression."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target, value = statement.target, statement.value
    else:
        return
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = list(zip(target.elts, value.elts, strict=True))
    else:
        pairs = [(target, value)]
    for name, expression in pairs:
        if not isinstance(name, ast.Name):
            continue
        if isinstance(expression, ast.Dict) and not name.id.startswith("_"):
            for key, entry in zip(expression.keys, expression.values, strict=True):
                if key is not None:
                    yield f"{name.id}[{ast.unparse(key).strip('()')}]", entry
        else:
            yield name.id, expression


def _value(expression: ast.expr) -> int | float | None:
    """What an expression of nothing but numbers comes to; None for any other."""
    kinds = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop)
    if not all(isinstance(node, kinds) for node in ast.walk(expression)):
        return None
    numbers = [node.value for node in ast.walk(expression) if isinstance(node, ast.Constant)]
    if not all(type(number) in (int, float) for number in numbers):
        return None
    value = eval(compile(ast.Expression(expression), "<constant>", "eval"), {})  # noqa: S307 - arithmetic of literals only
    return value if isinstance(value, int | float) else None


def _docstring(statement: ast.stmt | None) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        text = statement.value.value
        return " ".join(text.split()) if isinstance(text, str) else ""
    return ""


def _comments(source: str) -> dict[int, str]:
    """Line -> the comment on it."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _comment(comments: dict[int, str], statement: ast.stmt, number: ast.expr) -> str:
    """The comment behind the number, else the one above its statement."""
    return comments.get(number.end_lineno or number.lineno) or comments.get(
        statement.lineno - 1, ""
    )


@cache
def _imported(module: str, package: str) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source_of(module))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            found.add(node.module)
            if _within(node.module, package):  # a name in a package may be a module itself
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(name for name in found if _within(name, package) and _is_module(name))


@cache
def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is no package: a class or function, say
        return False


def _file_of(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    return Path(spec.origin)


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _forget(package: str) -> None:
    for name in [name for name in sys.modules if _within(name, package)]:
        del sys.modules[name]
