//! Rendering a run again without the cache, and comparing.

use serde_json::Value;

use crate::base::RunId;
use crate::engine::error::EngineError;
use crate::engine::{Engine, Request, runs};
use crate::nodes::Tool;
use crate::records::{RunOptions, RunStatus};

impl Engine {
    /// Starts a run that renders a completed one again, with nothing taken from the cache.
    /// Under other tools than the record's nothing could be judged: an error names them.
    pub fn verify(&self, run: RunId) -> Result<RunId, EngineError> {
        let row = self.run_row(run)?;
        if row.status == RunStatus::Completed && row.provenance.is_none() {
            return Err(EngineError::Refused(format!(
                "run {run} was moved in from another program and has no record of how it was made to compare with"
            )));
        }
        let Some(provenance) = row.provenance.filter(|_| row.status == RunStatus::Completed) else {
            return Err(EngineError::Refused(format!(
                "run {run} is {}; only a completed run can be verified",
                row.status
            )));
        };
        let mut request = runs::request_of(&row);
        request.options.cache = false;
        request.options.keep.clear();
        request.options.force.clear();
        // What a plan depends on may be known; what only a run would find cannot be compared yet.
        let known = Request { options: RunOptions { cache: true, ..request.options.clone() }, ..request.clone() };
        let plan = self.prepare(&known)?.plan;
        let whole = plan.later.is_none();
        let now: Vec<Tool> = plan.nodes.into_iter().flat_map(|node| node.tools).collect();
        let record: Value = serde_json::from_slice(&self.read_checked(&provenance)?).unwrap_or_default();
        let mut differing = differing_tools(&record, &now);
        differing.retain(|line| whole || !line.ends_with("not used now"));
        if !differing.is_empty() {
            return Err(EngineError::OtherTools(differing));
        }
        self.submit_verifying(&request, run)
    }
}

/// Tools of a record that are not the ones used now, and the other way round.
fn differing_tools(record: &Value, now: &[Tool]) -> Vec<String> {
    let recorded: Vec<(&str, &str, &str)> = record["infrastructure"]["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tool| {
            let field = |name: &str| tool[name].as_str().unwrap_or_default();
            (field("name"), field("version"), field("content_hash"))
        })
        .collect();
    let mut lines = Vec::new();
    for (name, version, hash) in &recorded {
        match now.iter().find(|tool| tool.name == *name) {
            Some(tool) if tool.hash.to_string() == *hash => {}
            Some(tool) => lines.push(format!("{name}: version {version} then, {} now", tool.version)),
            None => lines.push(format!("{name}: version {version} then, not used now")),
        }
    }
    for tool in now {
        if !recorded.iter().any(|(name, ..)| *name == tool.name) {
            lines.push(format!("{}: not used then, version {} now", tool.name, tool.version));
        }
    }
    lines.sort();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Fingerprint;

    #[test]
    fn tools_that_differ_are_named() {
        let tool = |name: &str, version: &str| Tool {
            name: name.to_owned(),
            version: version.to_owned(),
            hash: Fingerprint::of_parts(name, &[version.as_bytes()]),
        };
        let listed = |tools: &[Tool]| {
            let tools: Vec<Value> = tools
                .iter()
                .map(|tool| serde_json::json!({"name": tool.name, "version": tool.version, "content_hash": tool.hash}))
                .collect();
            serde_json::json!({"infrastructure": {"tools": tools}})
        };
        let then = listed(&[tool("effect:dog", "1"), tool("png-decoder", "1")]);
        assert!(differing_tools(&then, &[tool("png-decoder", "1"), tool("effect:dog", "1")]).is_empty());
        assert_eq!(
            differing_tools(&then, &[tool("effect:dog", "2"), tool("resampler", "1")]),
            [
                "effect:dog: version 1 then, 2 now",
                "png-decoder: version 1 then, not used now",
                "resampler: not used then, version 1 now"
            ]
        );
    }
}
