"""Questions to a scripted model, and certificates for one that speaks TLS."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from scripted_model import NAME, ScriptedModel

from aiops.llm.connection import Endpoint
from aiops.llm.openai_compatible import OpenAICompatible, Price
from aiops.model.canonical import canonical
from aiops.model.chat import Answer, ChatQuestion, Limits, Message, OfferedTool
from aiops.ports.chat_model import ChatModel, OnToken

KEY = "sk-not-for-anybody-else"
HELLO = (Message("system", "You help."), Message("user", "What is broken?"))
PATIENT = Limits(seconds=60)
PODS = OfferedTool(
    "kubernetes.pods",
    "Pods of a namespace.",
    canonical(
        {
            "type": "object",
            "properties": {"namespace": {"type": "string"}, "limit": {"type": "integer"}},
            "required": ["namespace"],
        }
    ),
)
VERDICT = canonical(
    {
        "type": "object",
        "properties": {"cause": {"type": "string"}, "sure": {"type": "number"}},
        "required": ["cause", "sure"],
        "additionalProperties": False,
    }
)


class Slept(list[float]):
    """The pauses that were made, none of which takes any time."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def model_at(
    server: ScriptedModel,
    *,
    name: str = NAME,
    price: Price | None = None,
    slept: Slept | None = None,
    **endpoint: Any,
) -> OpenAICompatible:
    """The client of a scripted endpoint; its pauses take no time."""
    where = replace(Endpoint(server.url, KEY), **endpoint)
    pauses = slept if slept is not None else Slept()
    return OpenAICompatible(name, where, price, sleep=pauses, chance=random.Random(7))  # noqa: S311


def ask(
    model: ChatModel,
    *,
    messages: Sequence[Message] = HELLO,
    tools: Sequence[OfferedTool] = (),
    schema: str | None = None,
    limits: Limits = PATIENT,
    on_token: OnToken | None = None,
) -> Answer:
    """One question, to its end."""
    question = ChatQuestion(tuple(messages), tuple(tools), schema, limits)
    return asyncio.run(model.complete(question, on_token))


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Files of a certificate for 127.0.0.1 and of its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files
