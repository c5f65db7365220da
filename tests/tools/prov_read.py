"""Reads a PROV-JSON document with the reference library, and says what it found in it."""

import json
import sys

from prov.model import (
    ProvAgent, ProvAssociation, ProvDocument, ProvGeneration, ProvUsage,
    PROV_ATTR_ACTIVITY, PROV_ATTR_ENTITY, PROV_ATTR_AGENT,
)

with open(sys.argv[1], encoding="utf-8") as file:
    document = ProvDocument.deserialize(file, format="json")


def one(record, name):
    return next(iter(record.get_attribute(name))).uri


[generation] = document.get_records(ProvGeneration)
usages = [one(usage, PROV_ATTR_ENTITY) for usage in document.get_records(ProvUsage)]
agents = {agent.identifier.uri for agent in document.get_records(ProvAgent)}
named = {one(association, PROV_ATTR_AGENT) for association in document.get_records(ProvAssociation)}
again = ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
print(json.dumps({
    "generated": one(generation, PROV_ATTR_ENTITY),
    "by": one(generation, PROV_ATTR_ACTIVITY),
    "used": usages,
    "agents": named <= agents,
    "same": again == document,
}))
