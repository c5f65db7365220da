//! Celery's messages and results: protocol 2, JSON, as kombu puts them into Redis.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::base::Timestamp;
use crate::engine::tasks::Task as Caller;
use crate::engine::views::RunView;
use crate::link::redis::intake::Task;

/// A message, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Who waits for it.
    pub caller: Caller,
    /// What the caller asks for, one text for what is the same.
    pub asked: String,
    /// The content to begin with: a hash or an asset's name.
    pub input: String,
    /// The effect's or config's name.
    pub effect: String,
    /// The output's name.
    pub output: Option<String>,
    /// It is not to begin before this.
    pub not_before: Option<Timestamp>,
}

/// A message that is no job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Who waits for an answer, as far as that could be read.
    pub caller: Option<Caller>,
    /// What is wrong.
    pub error: Failure,
}

/// An exception of Python's, as a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its class.
    pub class: &'static str,
    /// The class's module.
    pub module: &'static str,
    /// What it says.
    pub message: String,
}

impl Failure {
    /// An exception of the language itself.
    pub fn builtin(class: &'static str, message: impl Into<String>) -> Self {
        Self { class, module: "builtins", message: message.into() }
    }

    /// An exception of Celery's.
    pub fn celery(class: &'static str, message: impl Into<String>) -> Self {
        Self { class, module: "celery.exceptions", message: message.into() }
    }
}

/// Reads a message.
pub fn read(message: &[u8], tasks: &[Task]) -> Result<Job, Box<Refusal>> {
    let unreadable = |why: &str| Box::new(Refusal { caller: None, error: Failure::builtin("ValueError", why) });
    let message: Value = serde_json::from_slice(message).map_err(|_| unreadable("the message is no JSON"))?;
    let headers = &message["headers"];
    let text = |name: &str| headers[name].as_str().map(str::to_owned);
    let (Some(name), Some(id)) = (text("task"), text("id")) else {
        return Err(unreadable("the message has no headers \"task\" and \"id\", which Celery's protocol 2 has"));
    };
    let caller = Caller {
        task: id,
        wants_result: headers["ignore_result"].as_bool() != Some(true),
        parent: text("parent_id"),
        group: text("group"),
    };
    let refused = |error: Failure| Box::new(Refusal { caller: Some(caller.clone()), error });
    let value_error = |why: &str| refused(Failure::builtin("ValueError", why));
    let content_type = message["content-type"].as_str().unwrap_or_default();
    if content_type != "application/json" {
        return Err(value_error(&format!("the message is {content_type:?}; application/json is taken")));
    }
    if !headers["compression"].is_null() {
        return Err(value_error("the message is compressed, which is not taken"));
    }
    let body = message["body"].as_str().unwrap_or_default();
    let body = match message["properties"]["body_encoding"].as_str() {
        Some("base64") => BASE64_STANDARD.decode(body).map_err(|_| value_error("the body is no base64"))?,
        None => body.as_bytes().to_vec(),
        Some(_) => return Err(value_error("the body is encoded in a way that is not known")),
    };
    let body: Value = serde_json::from_slice(&body).map_err(|_| value_error("the body is no JSON"))?;
    let (Some(args), Some(named)) = (body[0].as_array(), body[1].as_object()) else {
        return Err(value_error("the body is no list of arguments, named arguments and what follows"));
    };
    let Some(form) = tasks.iter().find(|task| task.name == name) else {
        return Err(refused(Failure::celery("NotRegistered", name)));
    };
    let more = ["callbacks", "errbacks", "chain", "chord"].into_iter().find(|key| is_something(&body[2][*key]));
    if let Some(more) = more {
        return Err(value_error(&format!("the task has {more:?}; what is to follow a task is not carried out here")));
    }
    if text("expires").and_then(|at| time_of(&at)).is_some_and(|at| at < Timestamp::now()) {
        return Err(refused(Failure::celery("TaskRevokedError", "expired")));
    }
    let found = arguments(form, args, named).map_err(|why| refused(Failure::builtin("TypeError", why)))?;
    let asked = json!([name, args, named]).to_string();
    let [input, effect, output] = found;
    let (input, effect) = (input.unwrap_or_default(), effect.unwrap_or_default());
    let not_before = text("eta").and_then(|at| time_of(&at));
    Ok(Job { caller: caller.clone(), asked, input, effect, output, not_before })
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

fn time_of(text: &str) -> Option<Timestamp> {
    // A time without a zone is UTC.
    let zoned = text.ends_with('Z') || text.get(10..).is_some_and(|time| time.contains(['+', '-']));
    let text = if zoned { text.to_owned() } else { format!("{text}Z") };
    serde_json::from_value(Value::String(text)).ok()
}

/// Input, effect and output name.
fn arguments(form: &Task, args: &[Value], named: &Map<String, Value>) -> Result<[Option<String>; 3], String> {
    const NAMES: [&str; 3] = ["input_hash", "effect_name", "output_name"];
    let (name, most) = (&form.name, form.arguments.len());
    if args.len() > most {
        return Err(format!("{name}() takes {most} arguments, and {} were given", args.len()));
    }
    let mut found = [None, None, None];
    let positional = form.arguments.iter().map(String::as_str).zip(args);
    for (argument, value) in positional.chain(named.iter().map(|(argument, value)| (argument.as_str(), value))) {
        let place = NAMES.iter().position(|known| *known == argument && form.arguments.iter().any(|a| a == argument));
        let place = place.ok_or_else(|| format!("{name}() got an unexpected argument {argument:?}"))?;
        if found[place].is_some() {
            return Err(format!("{name}() got several values for {argument:?}"));
        }
        found[place] = match value {
            Value::String(text) => Some(text.clone()),
            Value::Null if place == 2 => None,
            _ => return Err(format!("{name}(): {argument:?} is a text")),
        };
    }
    for (place, argument) in NAMES.iter().enumerate().take(2) {
        if found[place].is_none() {
            return Err(format!("{name}() misses its argument {argument:?}"));
        }
    }
    Ok(found)
}

/// Where the result of a task is found, and the channel that tells of it.
pub fn result_key(task: &str) -> String {
    format!("celery-task-meta-{task}")
}

/// The result of a task whose run ended, as Celery's backend writes it.
pub fn result(caller: &Caller, view: Option<&RunView>, provenance: Option<Value>) -> Value {
    let Some(view) = view else {
        return failure(caller, "REVOKED", &Failure::celery("TaskRevokedError", "its run was deleted"));
    };
    match (view.status.word(), provenance) {
        ("completed", Some(mut record)) => {
            record["task_id"] = caller.task.as_str().into();
            meta(caller, "SUCCESS", &record)
        }
        ("cancelled", _) => failure(caller, "REVOKED", &Failure::celery("TaskRevokedError", "its run was cancelled")),
        (status, _) => {
            let error = view.error.clone().unwrap_or_else(|| format!("run {} is {status}", view.run_id));
            failure(caller, "FAILURE", &Failure::builtin("RuntimeError", error))
        }
    }
}

/// The result of a task that was not taken.
pub fn refusal(caller: &Caller, error: &Failure) -> Value {
    failure(caller, if error.class == "TaskRevokedError" { "REVOKED" } else { "FAILURE" }, error)
}

fn failure(caller: &Caller, status: &str, error: &Failure) -> Value {
    let Failure { class, module, message } = error;
    meta(caller, status, &json!({"exc_type": class, "exc_message": [message], "exc_module": module}))
}

fn meta(caller: &Caller, status: &str, result: &Value) -> Value {
    let mut meta = json!({
        "status": status, "result": result, "traceback": null, "children": [], "task_id": caller.task,
        "date_done": Timestamp::now().to_string().replace('Z', "+00:00"),
    });
    for (name, value) in [("parent_id", &caller.parent), ("group_id", &caller.group)] {
        if let Some(value) = value {
            meta[name] = value.as_str().into();
        }
    }
    meta
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms() -> Vec<Task> {
        let arguments = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        vec![
            Task {
                name: "tasks.render_effect".to_owned(),
                arguments: arguments(&["input_hash", "effect_name", "output_name"]),
            },
            Task { name: "jobs.draw".to_owned(), arguments: arguments(&["effect_name", "input_hash"]) },
        ]
    }

    fn message(task: &str, body: &Value) -> Value {
        json!({
            "body": BASE64_STANDARD.encode(body.to_string()), "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"lang": "py", "task": task, "id": "t-1", "expires": null, "group": null, "parent_id": null},
            "properties": {"body_encoding": "base64", "delivery_tag": "x"},
        })
    }

    fn said(message: &Value) -> String {
        match read(message.to_string().as_bytes(), &forms()) {
            Ok(job) => format!("{} {} {:?}", job.input, job.effect, job.output),
            Err(refusal) => format!("{}: {}", refusal.error.class, refusal.error.message),
        }
    }

    #[test]
    fn arguments_come_by_place_or_by_name_in_the_order_of_the_task() {
        let no = json!({"callbacks": null, "errbacks": null, "chain": null, "chord": null});
        for (task, args, named, expected) in [
            ("tasks.render_effect", json!(["cat", "dog", "out"]), json!({}), "cat dog Some(\"out\")"),
            ("tasks.render_effect", json!(["cat"]), json!({"effect_name": "dog"}), "cat dog None"),
            ("jobs.draw", json!(["dog", "cat"]), json!({}), "cat dog None"),
            ("tasks.other", json!([]), json!({}), "NotRegistered: tasks.other"),
            ("jobs.draw", json!(["dog"]), json!({}), "TypeError: jobs.draw() misses its argument \"input_hash\""),
            (
                "jobs.draw",
                json!(["dog", "cat", "out"]),
                json!({}),
                "TypeError: jobs.draw() takes 2 arguments, and 3 were given",
            ),
            (
                "jobs.draw",
                json!(["dog", "cat"]),
                json!({"effect_name": "dog"}),
                "TypeError: jobs.draw() got several values for \"effect_name\"",
            ),
            ("jobs.draw", json!(["dog", 7]), json!({}), "TypeError: jobs.draw(): \"input_hash\" is a text"),
        ] {
            assert_eq!(said(&message(task, &json!([args, named, no]))), expected);
        }
    }

    #[test]
    fn what_is_no_job_is_refused_with_what_is_wrong() {
        let body = json!([["cat", "dog"], {}, {}]);
        let good = message("tasks.render_effect", &body);
        assert_eq!(said(&good), "cat dog None");
        for (pointer, value, expected) in [
            ("/headers", json!({}), "no headers"),
            ("/content-type", json!("application/x-python-serialize"), "application/json is taken"),
            ("/headers/compression", json!("gzip"), "compressed"),
            ("/headers/expires", json!("2020-01-01T00:00:00"), "TaskRevokedError"),
            ("/body", json!("%%"), "no base64"),
            ("/body", json!("e30="), "no list"),
            ("/properties/body_encoding", json!("rot13"), "encoded"),
        ] {
            let mut bad = good.clone();
            match bad.pointer_mut(pointer) {
                Some(place) => *place = value,
                None => bad["headers"]["compression"] = value,
            }
            assert!(said(&bad).contains(expected), "{pointer}: {}", said(&bad));
        }
        let chained = message("tasks.render_effect", &json!([["cat", "dog"], {}, {"chain": [{}]}]));
        assert!(said(&chained).contains("\"chain\""), "{}", said(&chained));
        assert!(read(b"\xff{", &forms()).is_err());
    }
}
