"""No secret survives redaction, wherever it was planted; what a diagnosis needs does."""

import base64
import json
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.toolbelt.redaction import Redactor

FIXTURES = Path(__file__).resolve().parents[4] / "shared" / "fixtures" / "holmesgpt"
# Without these letters a random value cannot be part of the text around it by chance.
_LETTERS = "bcdfghjkqvxzBCDFGHJKQVXZ23456789"
values = st.text(_LETTERS, min_size=12, max_size=40).filter(
    lambda text: any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
)
upper = st.text(string.ascii_uppercase + string.digits, min_size=16, max_size=16)


def redactor() -> Redactor:
    return Redactor(b"0123456789abcdef")


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# How a secret stands in a line: {} is the value.
LINES = (
    "password={}",
    "DB_PASSWORD={}",
    "export API_TOKEN='{}'",
    "  dbPassword: {}",
    '- password: "{}"',
    "login with password {} failed".replace("{}", "'{}'"),
    "GET /items?token={}&page=2 HTTP/1.1",
    "postgres://app:{}@db.shop.svc:5432/orders",
    "amqp://guest:{}@rabbit:5672/%2f",
    "Server=db;Database=orders;User Id=sa;Password={};Encrypt=true",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core",
    "Authorization: Bearer {}",
    '"authorization":"Bearer {}"',
    "authorization: Token {}",
    "X-Api-Key: {}",
    "Cookie: sid={}; theme=dark",
    "mysql -u root -p{} -h db",
    "curl -u admin:{} http://grafana/api",
    "run --db-password {} --verbose",
    "run --api-key={}",
    '["run", "--token", "{}"]',
    'level=info msg="connected" client_secret={} took=3ms',
    '{{"msg":"x","config":{{"clientSecret":"{}"}}}}',
    'payload="{{\\"secret_key\\":\\"{}\\"}}"',
    'name: DB_PASSWORD\n  value: "{}"',
    '{{"name":"DB_PASSWORD","value":"{}"}}',
    "password: |\n    {}\nuser: a",
    "  client-key-data: {}",
    "aws_secret_access_key = {}",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\\n{}\\n",
    "kind: Secret\nmetadata:\n  name: a\ndata:\n  anything: {}\n",
    "data:\n  anything: {}\nkind: Secret\n",
    "kind: List\nitems:\n- data:\n    anything: {}\n  kind: Secret\n",
    "kind: Secret\nstringData:\n  app.yaml: |\n    a: b\n    {}\n",
    '{{"kind":"Secret","data":{{"anything":"{}"}}}}',
    'last-applied: "{{\\"kind\\":\\"Secret\\",\\"data\\":{{\\"anything\\":\\"{}\\"}}}}"',
    '2026-01-01T00:00:00Z {{"kind":"Secret","stringData":{{"any":"{{\\"x\\":\\"{}\\"}}"}}}}',
    '{{\n  "kind": "Secret",\n  "data": {{\n    "anything": "{}"\n  }}\n}}',
    'a: [\n  {{\n    "data": {{\n      "anything": "{}"\n    }},\n    "kind": "Secret"\n  }}\n]',
)
ISSUED = (
    "eyJhbGciOiJIUzI1NiJ9.{}.{}",
    "ghp_{}{}",
    "glpat-{}{}",
    "xoxb-12345678901-{}",
    "github_pat_{}{}",
    "hvs.{}{}",
    "npm_{}{}{}",
)


@pytest.mark.parametrize("line", LINES)
@given(value=values)
@settings(max_examples=20)
def test_a_secret_survives_in_no_line(line: str, value: str) -> None:
    assert value not in redactor().text(f"before\n{line.format(value)}\nafter 1 of 2")


@pytest.mark.parametrize("form", ISSUED)
@given(value=st.text(_LETTERS, min_size=16, max_size=20))
@settings(max_examples=20)
def test_a_token_is_known_by_its_own_form(form: str, value: str) -> None:
    token = form.format(value, value, value)
    assert value not in redactor().text(f"got {token}, gave up")
    assert value not in redactor().text(f"payload {b64('a token ' + token + ' in it')}")


@given(upper)
def test_a_cloud_key_is_known_by_its_own_form(letters: str) -> None:
    assert letters not in redactor().text(f"key AKIA{letters} was refused")


def planted(value: str) -> st.SearchStrategy[object]:
    """JSON in which ``value`` is a secret, at any depth and in any wrapping."""
    leaves = st.sampled_from(
        [
            {"password": value},
            {"config": {"apiToken": value + "1"}},
            {"name": "DB_PASSWORD", "value": value},
            {"kind": "Secret", "data": {"anything": value}, "metadata": {"name": "a"}},
            {"kind": "Secret", "stringData": {"deep": {"er": [value]}}},
            {"kind": "SecretList", "items": [{"data": {"anything": value}}]},
            {"passwords": [value, value]},
            {"args": ["--token", value]},
            {"url": f"redis://:{value}@cache:6379/0"},
            {"env": f"A=1\nDB_PASSWORD={value}\nB=2"},
            {f"Bearer {value}": 1},
        ]
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda one: [0, one, "x"]),
            inner.map(lambda one: {"spec": one, "count": 3}),
            inner.map(json.dumps),
            inner.map(lambda one: {"annotations": {"last-applied": json.dumps(one)}}),
            inner.map(lambda one: json.dumps(one, indent=2)),
        ),
        max_leaves=3,
    )


@given(st.data(), values)
def test_a_secret_survives_in_no_nesting(data: st.DataObject, value: str) -> None:
    tree = data.draw(planted(value))
    document = json.dumps(tree)
    assert value not in json.dumps(redactor().value(tree))
    assert value not in redactor().json(document)
    assert value not in redactor().text(document)
    assert value not in redactor().text(f"it said: {document}")


@given(st.data(), values)
def test_redacting_twice_is_redacting_once(data: st.DataObject, value: str) -> None:
    pieces = [*LINES, *ISSUED, "anna@example.org", "4111 1111 1111 1111", "+49 30 123456-78", "\n",
              "<secret:12345678>", '"', "'", "\\", "{}", ":", "=", " ", "@", "//"]  # fmt: skip
    chosen = data.draw(st.lists(st.sampled_from(pieces), max_size=8))
    text = data.draw(st.sampled_from(["\n", " ", ""])).join(
        piece.replace("{{", "{").replace("}}", "}").replace("{}", value) for piece in chosen
    )
    once = redactor().text(text)
    assert redactor().text(once) == once


@given(st.text(max_size=200))
def test_any_text_can_be_redacted(text: str) -> None:
    once = redactor().text(text)
    assert redactor().text(once) == once


def test_equal_secrets_stay_equal_within_a_run_and_differ_between_runs() -> None:
    run, other = redactor(), Redactor(b"another key of a run")
    one, two = run.text("password=hunter2hunter").split("=")[1], run.text("pwd=hunter2hunter")
    assert two == f"pwd={one}"
    assert other.text("password=hunter2hunter") != f"password={one}"
    assert dict(run.hidden) == {"secret": 2}


@pytest.mark.parametrize(
    "personal",
    ["anna.b@example.org", "4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005",
     "+49 30 1234567", "+1 (415) 555-2671", "phone: 030/1234567"],
)  # fmt: skip
def test_personal_facts_go(personal: str) -> None:
    number = personal.removeprefix("phone: ")
    assert number not in redactor().text(f"order of {personal} failed")


@pytest.mark.parametrize(
    "needed",
    [
        "pod web-7d9c6b5f4-x2x9z on 10.0.3.17:8080",
        "nginx@sha256:64defcbc5126c2d81122b4fb78a629a6d27068f0842c4a8302b8273415b12e30",
        "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=5172871048023241",
        "dad811a6f14846847bf2f220daa5e573,5172871048023241,16:43:25.981 INFO",
        "2026-03-01T10:00:00.123456789Z took 0.4111111111111111 s",
        "1772359200000 1772359200000000 1772359200000000000",
        "61e9324d-501d-4360-815e-000000000000",
        'Error: secret "db-credentials" not found',
        "couldn't find key password in Secret shop/db",
        "      DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false",
        "TokenExpirationSeconds:  3607",
        "secretName: payment-tls",
        "configSecret: alertmanager-config",
        "secretKeyRef: {name: db, key: password}",
        "imagePullSecrets: [{name: regcred}]",
        "authentication failed: invalid token: expired",
        "password: authentication failed for user app",
        "max_tokens=512 tokens: 37 token_count=4",
        "automountServiceAccountToken: false",
        "rabbit@rabbitmq-0.rabbitmq-headless.rabbitmq.svc.cluster.local",
        "http://user-service:8080/users/42?page=2 -> 503",
        "user@1000.service: Deactivated successfully",
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "kind: ConfigMap\ndata:\n  timeout: 30s\n",
        "kind: Secret\nmetadata:\n  name: db\n  namespace: shop\ntype: Opaque",
        "utc offset +0200, value 1e+10, delta +12.5",
    ],
)
def test_what_a_diagnosis_needs_stays(needed: str) -> None:
    assert redactor().text(needed) == needed


def test_names_and_keys_of_a_secret_stay_and_its_neighbours_are_untouched() -> None:
    listing = (
        "apiVersion: v1\nkind: List\nitems:\n"
        "- apiVersion: v1\n  data:\n    timeout: 30s\n  kind: ConfigMap\n"
        "- apiVersion: v1\n  data:\n    password: aHVudGVyMg==\n  kind: Secret\n"
        "  metadata:\n    name: db\n"
    )
    clean = redactor().text(listing)
    assert "aHVudGVyMg" not in clean
    assert "timeout: 30s" in clean
    assert "password: <secret:" in clean
    assert "name: db" in clean


def test_a_helm_release_is_hidden_as_a_whole() -> None:
    import gzip

    release = b64(gzip.compress(b"password: hunter2 " * 20, mtime=0).hex())
    packed = base64.b64encode(gzip.compress(bytes(range(256)) * 4, mtime=0)).decode()
    for blob in (packed, b64(packed)):
        assert blob not in redactor().text(f"release: {blob}")
    assert release  # hex is no base64 of gzip: it holds nothing that could be read


def test_numbers_and_booleans_keep_their_type_unless_they_are_secrets() -> None:
    value = {"replicas": 3, "ready": True, "password": 123456, "share": 0.5, "none": None}
    clean = redactor().value(value)
    assert isinstance(clean, dict)
    assert str(clean.pop("password")).startswith("<secret:")
    assert clean == {"replicas": 3, "ready": True, "share": 0.5, "none": None}


def test_recorded_tool_outputs_lose_nothing_but_a_mail_address() -> None:
    if not FIXTURES.exists():
        pytest.skip("no recorded tool outputs beside this checkout")
    run = redactor()
    for file in sorted(FIXTURES.rglob("kubectl_describe*.txt")):
        run.text(file.read_text())
    assert set(run.hidden) <= {"email"}
