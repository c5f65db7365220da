//! Server-sent events, as the HTML standard defines their text: lines in, events out.

use crate::base::limits::EVENT_BYTES;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its type; `message` where none is said.
    pub name: String,
    /// Its data.
    pub data: String,
}

/// Reads a stream line by line.
#[derive(Debug, Default)]
pub struct Parser {
    name: String,
    data: String,
    /// The id that the next event ends with.
    id: Option<String>,
    /// The id of the last event that came whole, for a reconnect.
    pub last_id: Option<String>,
}

impl Parser {
    /// Takes a line without its end; an empty one ends an event. Data over the limit is dropped.
    pub fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            return self.end();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" if self.data.len() + value.len() < EVENT_BYTES => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()).filter(|id| !id.is_empty()),
            // A comment (nothing before the colon), `retry`, or what is not known here.
            _ => {}
        }
        None
    }

    /// Forgets an event that was cut off.
    pub fn reset(&mut self) {
        *self = Self { id: self.last_id.clone(), last_id: self.last_id.take(), ..Self::default() };
    }

    fn end(&mut self) -> Option<Event> {
        self.last_id.clone_from(&self.id);
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        if data.is_empty() {
            return None;
        }
        data.pop();
        Some(Event { name: if name.is_empty() { "message".to_owned() } else { name }, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> (Vec<(String, String)>, Option<String>) {
        let mut parser = Parser::default();
        let events = text.lines().filter_map(|line| parser.line(line)).map(|event| (event.name, event.data)).collect();
        (events, parser.last_id)
    }

    fn pair(name: &str, data: &str) -> (String, String) {
        (name.to_owned(), data.to_owned())
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        let (found, id) = events(": hello\n\nevent: run\nid: a-1\ndata: {\"x\":\ndata: 1}\n\ndata:two\n\n");
        assert_eq!(found, [pair("run", "{\"x\":\n1}"), pair("message", "two")]);
        assert_eq!(id.as_deref(), Some("a-1"));
    }

    #[test]
    fn an_event_that_is_cut_off_leaves_nothing_behind() {
        let mut parser = Parser::default();
        for line in ["id: 1", "data: a", "", "id: 2", "event: node", "data: b"] {
            parser.line(line);
        }
        parser.reset();
        assert_eq!(parser.last_id.as_deref(), Some("1"));
        assert_eq!(parser.line("data: c"), None);
        assert_eq!(parser.line("").map(|event| (event.name, event.data)), Some(pair("message", "c")));
        assert_eq!(parser.last_id.as_deref(), Some("1"));
    }

    #[test]
    fn what_is_not_ended_is_no_event_and_ids_stay() {
        let (found, id) = events("id: 1\ndata: a\n\nid: 2\nevent: node\n\nretry: 5\ndata: lost");
        assert_eq!(found, [pair("message", "a")]);
        assert_eq!(id.as_deref(), Some("2"));
        assert_eq!(events("id: 1\n\nid: 2\ndata: cut off").1.as_deref(), Some("1"));
        assert_eq!(events("id\ndata\n\n"), (vec![pair("message", "")], None));
        assert_eq!(events("id: x\0y\ndata: a\n\n").1, None);
    }
}
