//! A provenance record as W3C PROV-JSON, for tools that know PROV.
//!
//! Blobs are entities `blob:<hash>`, the run is the activity `run:<id>`, the program and whoever
//! asked are agents. A node's value is an entity `key:<node key>`, derived from its inputs'.

use serde_json::{Map, Value, json};

use crate::link::multibase;

/// The record in PROV-JSON; `None` if it is no record.
pub fn document(record: &[u8]) -> Option<Value> {
    let record: Value = serde_json::from_slice(record).ok()?;
    let run = format!("run:{}", record["run_id"].as_str()?);
    let output = blob(&record["output"])?;
    let mut document = Document::default();
    document.entity(
        &output,
        json!({
            "prov:label": record["output"]["name"],
            "artdag:media_type": record["output"]["media_type"],
        }),
    );
    let activity = json!({
        "prov:endTime": record["rendered_at"],
        "artdag:plan_hash": record["plan_hash"],
        "artdag:cached": record["infrastructure"]["cached"],
    });
    document.add("activity", &run, activity);
    document.relate(
        "wasGeneratedBy",
        json!({"prov:entity": output, "prov:activity": run, "prov:time": record["rendered_at"]}),
    );
    for input in list(&record["inputs"]) {
        let source = blob(input)?;
        document.entity(&source, json!({"prov:label": input["name"]}));
        document.relate("used", json!({"prov:activity": run, "prov:entity": source}));
        if source != output {
            document.relate(
                "wasDerivedFrom",
                json!({
                    "prov:generatedEntity": output, "prov:usedEntity": source, "prov:activity": run,
                }),
            );
        }
    }
    for effect in list(&record["effects"]) {
        let id = blob(effect)?;
        document.entity(
            &id,
            json!({
                "prov:label": effect["name"], "artdag:version": effect["version"], "prov:type": name("artdag:Effect"),
            }),
        );
        document.relate("used", json!({"prov:activity": run, "prov:entity": id, "prov:role": name("artdag:effect")}));
    }
    agents(&mut document, &record, &run, &output)?;
    nodes(&mut document, &record)?;
    Some(document.0)
}

fn agents(document: &mut Document, record: &Value, run: &str, output: &str) -> Option<()> {
    let infrastructure = &record["infrastructure"];
    let software = blob(&infrastructure["software"])?.replacen("blob:", "software:", 1);
    document.add(
        "agent",
        &software,
        json!({
            "prov:type": name("prov:SoftwareAgent"),
            "prov:label": infrastructure["software"]["name"],
            "artdag:version": infrastructure["software"]["version"],
        }),
    );
    let mut with = json!({"prov:activity": run, "prov:agent": software});
    if let Some(recipe) = blob(&record["recipe"]) {
        let about = &record["recipe"];
        document.entity(
            &recipe,
            json!({
                "prov:type": name("prov:Plan"), "prov:label": about["name"], "artdag:version": about["version"],
            }),
        );
        with["prov:plan"] = json!(recipe);
    }
    document.relate("wasAssociatedWith", with);
    let machine = blob(&infrastructure["hardware"])?.replacen("blob:", "hardware:", 1);
    document.add("agent", &machine, json!({"prov:label": infrastructure["hardware"]["name"]}));
    document.relate("wasAssociatedWith", json!({"prov:activity": run, "prov:agent": machine}));
    for tool in list(&infrastructure["tools"]) {
        let id = blob(tool)?.replacen("blob:", "software:", 1);
        document.add(
            "agent",
            &id,
            json!({
                "prov:type": name("prov:SoftwareAgent"), "prov:label": tool["name"], "artdag:version": tool["version"],
            }),
        );
        document.relate("wasAssociatedWith", json!({"prov:activity": run, "prov:agent": id}));
    }
    // Their name is text that people chose: an id is written in letters and digits.
    let user = record["rendered_by"].as_str()?;
    let id = format!("user:{}", multibase::encode(user.as_bytes()));
    document.add("agent", &id, json!({"prov:label": user}));
    document.relate("wasAttributedTo", json!({"prov:entity": output, "prov:agent": id}));
    Some(())
}

fn nodes(document: &mut Document, record: &Value) -> Option<()> {
    let mut keys = Map::new();
    for node in list(&record["nodes"]) {
        let id = format!("key:{}", node["key"].as_str()?);
        document.entity(&id, json!({"prov:label": node["id"], "artdag:node_type": node["type"]}));
        for input in list(&node["inputs"]) {
            let from = keys.get(input.as_str()?)?;
            document.relate("wasDerivedFrom", json!({"prov:generatedEntity": id, "prov:usedEntity": from}));
        }
        if let Some(hash) = node["output_hash"].as_str() {
            let value = format!("blob:{hash}");
            document.entity(&value, json!({}));
            document.relate("alternateOf", json!({"prov:alternate1": value, "prov:alternate2": id}));
        }
        keys.insert(node["id"].as_str()?.to_owned(), json!(id));
    }
    Some(())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn blob(thing: &Value) -> Option<String> {
    thing["content_hash"].as_str().map(|hash| format!("blob:{hash}"))
}

/// A qualified name as a value.
fn name(name: &str) -> Value {
    json!({"$": name, "type": "prov:QUALIFIED_NAME"})
}

/// A document that grows.
struct Document(Value);

impl Default for Document {
    fn default() -> Self {
        Self(json!({"prefix": {
            "artdag": "https://artdag.rose-ash.com/ns#",
            "blob": "urn:blake3:",
            "key": "urn:artdag:key:",
            "run": "urn:uuid:",
            "software": "urn:artdag:software:",
            "hardware": "urn:artdag:hardware:",
            "user": "urn:artdag:user:",
        }}))
    }
}

impl Document {
    /// Adds a thing, or what was not yet said of it; what is null is not said.
    fn add(&mut self, kind: &str, id: &str, about: Value) {
        let Value::Object(about) = about else { return };
        let known = &mut self.0[kind][id];
        if known.is_null() {
            *known = json!({});
        }
        for (name, value) in about {
            if !value.is_null() && known[&name].is_null() {
                known[&name] = value;
            }
        }
    }

    fn entity(&mut self, id: &str, about: Value) {
        self.add("entity", id, about);
    }

    /// Adds a relation under a blank id.
    fn relate(&mut self, kind: &str, about: Value) {
        let count = self.0[kind].as_object().map_or(0, Map::len);
        self.0[kind][format!("_:{kind}{count}")] = about;
    }
}
