//! One scalar against its schema, and what is said of a value that does not fit.

use std::fmt::Display;

use serde_json::Value;

use crate::base::ContentHash;
use crate::base::schema::{self, Kind};
use crate::effects;
use crate::recipe::place::Place;
use crate::recipe::problems::Problems;
use crate::recipe::scalar;
use crate::recipe::words::{listed, quoted};
use crate::recipe::yaml::{Node, Scalar, Style, View};

/// A value on its way through the schema.
pub(crate) struct Written<'a> {
    pub(crate) node: &'a Node,
    /// The unit of numbers.
    pub(crate) unit: &'a str,
    pub(crate) place: &'a Place<'a>,
    pub(crate) problems: &'a mut Problems,
}

impl Written<'_> {
    /// The value of a scalar that is not null.
    pub(crate) fn of_scalar(&mut self, scalar: &Scalar, kind: &Kind) -> Option<Value> {
        let text = scalar.text.as_str();
        match kind {
            Kind::Number { min, max } => self.number(scalar, *min, *max),
            Kind::Integer { min, max } => self.integer(scalar, *min, *max),
            Kind::Bool => match scalar::truth(scalar) {
                Some(truth) => Some(Value::Bool(truth)),
                None => self.wrong_type(expected(kind)),
            },
            Kind::Text { max } if text.len() > *max => {
                self.error("bad_value", &format!("has {} bytes, and the limit is {max}", text.len()))
            }
            Kind::EffectName if effects::find(text).is_none() => {
                let message = unknown_effect(text, self.problems);
                self.problems.error("unknown_effect", self.place, self.node.mark, message);
                None
            }
            Kind::Text { .. } | Kind::EffectName => Some(Value::from(text)),
            // What they name is read and judged as inputs are.
            Kind::Node | Kind::Nodes => Some(Value::Bool(true)),
            Kind::Choice(words) if words.contains(&text) => Some(Value::from(text)),
            Kind::Choice(words) => {
                let suggestion = self.problems.did_you_mean(text, words.iter().copied());
                let words = words.join(", ");
                self.error("unknown_choice", &format!("is {}; it must be one of {words}{suggestion}", quoted(text)))
            }
            Kind::Colour => match schema::colour(text) {
                Some(colour) => Some(Value::from(schema::colour_text(colour))),
                None => self.error("bad_value", &format!("is {}, which is no colour; {COLOURS}", quoted(text))),
            },
            Kind::Hash => match text.parse::<ContentHash>() {
                Ok(hash) => Some(Value::from(hash.to_string())),
                Err(error) => self.error("bad_hash", &format!("is {}; {error}", quoted(text))),
            },
            Kind::List { .. } | Kind::Map(_) | Kind::EffectParams | Kind::NodeParams => self.wrong_type(expected(kind)),
        }
    }

    fn number(&mut self, scalar: &Scalar, min: f64, max: f64) -> Option<Value> {
        match scalar::number(scalar) {
            // Adding zero makes -0 the one zero.
            Some(number) if (min..=max).contains(&number) => Some(Value::from(number + 0.0)),
            Some(number) if number.is_finite() => self.out_of_range(&scalar.text, min, max),
            Some(_) => self.error("bad_value", &format!("is {}; it must be a finite number", scalar.text)),
            None => self.wrong_type("a number"),
        }
    }

    fn integer(&mut self, scalar: &Scalar, min: i64, max: i64) -> Option<Value> {
        match (scalar::integer(scalar), scalar::number(scalar)) {
            (Some(integer), _) if (min..=max).contains(&integer) => Some(Value::from(integer)),
            // A whole number beyond 64 bits has no fraction either.
            (None, Some(number)) if number.fract() != 0.0 => self.wrong_type("a whole number"),
            (Some(_), _) | (None, Some(_)) => self.out_of_range(&scalar.text, min, max),
            (None, None) => self.wrong_type("a whole number"),
        }
    }

    fn out_of_range<T>(&mut self, text: &str, min: impl Display, max: impl Display) -> Option<T> {
        let space = if self.unit.is_empty() { "" } else { " " };
        self.error("out_of_range", &format!("is {text}; it must be from {min} to {max}{space}{}", self.unit))
    }

    /// Reports a value of another type.
    pub(crate) fn wrong_type<T>(&mut self, wanted: &str) -> Option<T> {
        let found = found(self.node, wanted);
        self.error("wrong_type", &format!("must be {wanted}, not {found}"))
    }

    /// Reports that what the value is called `does` this.
    pub(crate) fn error<T>(&mut self, kind: &'static str, does: &str) -> Option<T> {
        self.problems.error(kind, self.place, self.node.mark, format!("{} {does}", self.place.label()));
        None
    }
}

const COLOURS: &str = "write a name such as black, or \"#rrggbb\" or \"#rrggbbaa\" in quotes";

/// What a kind wants, for a message.
pub(crate) const fn expected(kind: &Kind) -> &'static str {
    match kind {
        Kind::Number { .. } => "a number",
        Kind::Integer { .. } => "a whole number",
        Kind::Bool => "true or false",
        Kind::Colour => "a colour",
        Kind::Hash => "a content hash",
        Kind::EffectName => "the name of an effect",
        Kind::Node => "a node's id",
        Kind::Nodes => "a list of nodes' ids",
        Kind::List { .. } => "a list",
        Kind::Map(_) | Kind::EffectParams | Kind::NodeParams => "a map",
        Kind::Text { .. } | Kind::Choice(_) => "a text",
    }
}

/// What a node is, for a message that says what was wanted.
fn found(node: &Node, wanted: &str) -> String {
    let scalar = match node.view() {
        View::Seq(_) => return "a list".to_owned(),
        View::Map(_) => return "a map".to_owned(),
        View::Scalar(_) if node.is_null() => return "nothing".to_owned(),
        View::Scalar(scalar) => scalar,
    };
    let number_or_truth = |scalar: &Scalar| scalar::number(scalar).is_some() || scalar::truth(scalar).is_some();
    let unquoted = Scalar { text: scalar.text.clone(), style: Style::Plain };
    let wanted_unquoted = match wanted {
        "a number" => scalar::number(&unquoted).is_some(),
        "a whole number" => scalar::integer(&unquoted).is_some(),
        "true or false" => scalar::truth(&unquoted).is_some(),
        _ => false,
    };
    if wanted_unquoted {
        format!("the text {}; take its quotes away", quoted(&scalar.text))
    } else if scalar.style == Style::Plain && number_or_truth(scalar) {
        scalar.text.clone()
    } else {
        format!("the text {}", quoted(&scalar.text))
    }
}

/// That there is no effect of this name, with a suggestion or what there is.
pub(crate) fn unknown_effect(name: &str, problems: &mut Problems) -> String {
    let suggestion = problems.did_you_mean(name, effects::names());
    if suggestion.is_empty() {
        format!("there is no effect {}; there is {}", quoted(name), listed(effects::names()))
    } else {
        format!("there is no effect {}{suggestion}", quoted(name))
    }
}

/// Reports a value of another type.
pub(crate) fn wrong_type<T>(node: &Node, wanted: &str, place: &Place<'_>, problems: &mut Problems) -> Option<T> {
    Written { node, unit: "", place, problems }.wrong_type(wanted)
}
