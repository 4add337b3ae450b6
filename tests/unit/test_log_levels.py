"""How grave a line is, in whatever form and language it says so."""

import pytest

from aiops.analyze.logs.statements import level_of


@pytest.mark.parametrize(
    "line",
    [
        "ERROR could not reserve stock",
        "\x1b[31mERROR\x1b[0m \x1b[1mcould not reserve stock\x1b[0m",
        "2026-01-20 18:55:01 [error] upstream gone",
        '{"level":"error","msg":"payment failed"}',
        'level=error msg="payment failed"',
        "FEHLER: Verbindung zur Datenbank abgelehnt",
        "ERREUR : connexion refusée",
        "ОШИБКА: соединение отклонено",
        "エラー: データベースに接続できません",
        "[错误] 无法连接数据库",
        "java.lang.IllegalStateException: closed",
    ],
)
def test_an_error_is_known_as_one(line: str) -> None:
    assert level_of(line) == "error"


@pytest.mark.parametrize(
    "line",
    [
        "INFO no error occurred",
        "\x1b[32mINFO\x1b[0m ERROR pages are served from cache",
        "Fehler sind menschlich",
        "エラーページを更新しました",
        "GET /errors 200",
    ],
)
def test_a_line_that_only_speaks_of_errors_is_none(line: str) -> None:
    assert level_of(line) == "info"
