"""Signatures of activities, written from the scheme and from nothing else.

    signature.py verify KEY.pem < document         exit 0, or 1 with the reason
    signature.py sign KEY_ID CREATED < document    prints {"document", "key"}
    signature.py prove MULTIBASE < document        checks an eddsa-jcs-2022 proof
"""

import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def to_be_signed(document, creator, created):
    options = {
        "@context": "https://w3id.org/security/v1",
        "type": "RsaSignature2017",
        "creator": creator,
        "created": created,
    }
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    return hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(unsigned)).digest()


def verify(key, document):
    signature = document["signature"]
    assert signature["type"] == "RsaSignature2017"
    value = base64.b64decode(signature["signatureValue"], validate=True)
    data = to_be_signed(document, signature["creator"], signature["created"])
    key.verify(value, data, padding.PKCS1v15(), hashes.SHA256())


def sign(document, creator, created):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    value = key.sign(to_be_signed(document, creator, created), padding.PKCS1v15(), hashes.SHA256())
    document["signature"] = {
        "type": "RsaSignature2017",
        "creator": creator,
        "created": created,
        "signatureValue": base64.b64encode(value).decode(),
    }
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
    return {"document": document, "key": pem}


def multibase(text):
    assert text[0] == "z"
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for letter in text[1:]:
        number = number * 58 + alphabet.index(letter)
    zeros = len(text[1:]) - len(text[1:].lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def jcs(value):
    # The same as RFC 8785 for texts and whole numbers under keys of ASCII.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def prove(key, document):
    proof = document.pop("proof")
    value = multibase(proof.pop("proofValue"))
    assert proof["cryptosuite"] == "eddsa-jcs-2022" and proof["@context"] == document["@context"]
    data = hashlib.sha256(jcs(proof)).digest() + hashlib.sha256(jcs(document)).digest()
    assert multibase(key)[:2] == b"\xed\x01"
    ed25519.Ed25519PublicKey.from_public_bytes(multibase(key)[2:]).verify(value, data)


def main():
    command, *words = sys.argv[1:]
    document = json.load(sys.stdin)
    try:
        if command == "verify":
            with open(words[0], "rb") as file:
                verify(serialization.load_pem_public_key(file.read()), document)
        elif command == "prove":
            prove(words[0], document)
        else:
            print(json.dumps(sign(document, *words)))
    except InvalidSignature:
        sys.exit("the signature is not one of this document")


main()
