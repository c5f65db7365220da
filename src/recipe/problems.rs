//! Problems as they are found, and suggestions for them, both in bounds.

use crate::base::{limits, suggest};
use crate::recipe::place::Place;
use crate::recipe::problem::{LocPart, Mark, Problem, Severity};
use crate::recipe::words::did_you_mean;

/// Problems as they are found: the first [`limits::CONFIG_PROBLEMS`] errors and warnings in the
/// order of the text, and how many more there are.
#[derive(Default)]
pub(crate) struct Problems {
    errors: Heap,
    warnings: Heap,
    guesses: usize,
}

#[derive(Default)]
struct Heap {
    kept: Vec<Problem>,
    dropped: usize,
}

/// Candidates compared for all suggestions of a config together: some 0.1 s of work.
const GUESSES: usize = 50_000;

impl Problems {
    /// An error at this place.
    pub(crate) fn error(&mut self, kind: &'static str, place: &Place<'_>, mark: Mark, message: impl Into<String>) {
        self.add(Severity::Error, kind, place, mark, message.into());
    }

    /// An error at the end of these steps from a place, `message` to follow what it is called.
    pub(crate) fn error_below(
        &mut self,
        kind: &'static str,
        place: &Place<'_>,
        steps: Vec<LocPart>,
        mark: Mark,
        message: &str,
    ) {
        let label = steps.iter().fold(place.label(), |label, step| step.after(label));
        let mut loc = place.loc();
        loc.extend(steps);
        let problem = Problem::error(kind, format!("{label}: {message}")).at(mark);
        self.push(Problem { loc, node: place.node.cloned(), ..problem });
    }

    /// A warning at this place.
    pub(crate) fn warning(&mut self, kind: &'static str, place: &Place<'_>, mark: Mark, message: impl Into<String>) {
        self.add(Severity::Warning, kind, place, mark, message.into());
    }

    fn add(&mut self, severity: Severity, kind: &'static str, place: &Place<'_>, mark: Mark, message: String) {
        let problem = Problem::error(kind, message).at(mark);
        self.push(Problem { severity, loc: place.loc(), node: place.node.cloned(), ..problem });
    }

    /// A problem made elsewhere.
    pub(crate) fn push(&mut self, problem: Problem) {
        match problem.severity {
            Severity::Error => self.errors.push(problem),
            Severity::Warning => self.warnings.push(problem),
        }
    }

    /// Counts an error that is not worth its message, since there are so many; `false` if it is.
    pub(crate) fn is_one_too_many(&mut self) -> bool {
        let flooded = self.errors.dropped > 100 * limits::CONFIG_PROBLEMS;
        self.errors.dropped += usize::from(flooded);
        flooded
    }

    /// Has an error been found?
    pub(crate) fn any_error(&self) -> bool {
        !self.errors.kept.is_empty()
    }

    /// The candidate that was probably meant; none also where there are too many to compare.
    pub(crate) fn nearest<'a>(&mut self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        // What is shorter or longer by more than the slips that are forgiven is never the nearest.
        let length = word.chars().count();
        let near = |candidate: &&str| candidate.chars().count().abs_diff(length) <= (length / 3).max(1);
        let budget = GUESSES - self.guesses;
        let near: Vec<&str> = candidates.into_iter().filter(near).take(budget + 1).collect();
        if near.len() > budget {
            self.guesses = GUESSES;
            return None;
        }
        self.guesses += near.len();
        suggest::nearest(word, near)
    }

    /// `; did you mean "…"?`, or nothing.
    pub(crate) fn did_you_mean<'a>(&mut self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
        self.nearest(word, candidates).map_or_else(String::new, did_you_mean)
    }

    /// The errors if there are any, else the warnings; both in the order of the text.
    pub(crate) fn finish(self) -> Result<Vec<Problem>, Vec<Problem>> {
        if self.any_error() { Err(self.errors.finish("problem")) } else { Ok(self.warnings.finish("warning")) }
    }
}

impl Heap {
    fn push(&mut self, problem: Problem) {
        self.kept.push(problem);
        if self.kept.len() >= 8 * limits::CONFIG_PROBLEMS {
            self.trim();
        }
    }

    fn trim(&mut self) {
        // What has no line comes last: it is about the whole.
        self.kept.sort_by_key(|problem| (problem.line == 0, problem.line, problem.column));
        self.dropped += self.kept.len().saturating_sub(limits::CONFIG_PROBLEMS);
        self.kept.truncate(limits::CONFIG_PROBLEMS);
    }

    fn finish(mut self, noun: &str) -> Vec<Problem> {
        self.trim();
        if let (dropped @ 1.., Some(last)) = (self.dropped, self.kept.last()) {
            let severity = last.severity;
            let more =
                Problem::error("more", format!("and {dropped} more {noun}{}", if dropped == 1 { "" } else { "s" }));
            self.kept.push(Problem { severity, ..more });
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::NodeId;

    #[test]
    fn a_problem_is_one_line_and_the_shape_of_the_api() {
        let id = NodeId::new("apply_dog");
        let nodes = Place::ROOT.key("nodes");
        let node = nodes.node(&id);
        let config = node.key("config");
        let gains = config.key("gains");
        let place = gains.index(2);
        assert_eq!(place.label(), "config.gains[2]");
        let mut problems = Problems::default();
        problems.error("wrong_type", &place, Mark { line: 12, column: 5 }, "message");
        let problem = problems.finish().unwrap_err().remove(0);
        assert_eq!(problem.to_string(), r#"12:5: node "apply_dog": message"#);
        assert_eq!(
            serde_json::to_value(&problem).unwrap(),
            json!({"loc": ["nodes", "apply_dog", "config", "gains", 2], "msg": "message", "type": "wrong_type",
                   "line": 12, "column": 5, "node": "apply_dog"})
        );
    }

    #[test]
    fn only_the_first_are_kept_and_the_rest_is_counted() {
        let mut problems = Problems::default();
        for line in (1..=1000).rev() {
            problems.error("x", &Place::ROOT, Mark { line, column: 1 }, "wrong");
        }
        let kept = problems.finish().unwrap_err();
        assert_eq!(kept.len(), limits::CONFIG_PROBLEMS + 1);
        assert_eq!(kept[0].line, 1);
        assert_eq!(kept.last().unwrap().to_string(), "and 900 more problems");
    }

    #[test]
    fn suggestions_have_a_budget() {
        let ids: Vec<String> = (0..30_000).map(|i| format!("n{i:05}")).collect();
        let mut problems = Problems::default();
        let candidates = || ids.iter().map(String::as_str);
        assert_eq!(problems.did_you_mean("n0001x", candidates()), r#"; did you mean "n00010"?"#);
        assert_eq!(problems.did_you_mean("n0001x", candidates()), "");
    }
}
