//! What is given for a run's variable inputs, matched with the nodes.

use std::collections::HashMap;

use crate::recipe::model::{Recipe, RecipeNode};
use crate::recipe::place::Place;
use crate::recipe::problem::{Mark, Problem};
use crate::recipe::problems::Problems;
use crate::recipe::words::{counted, quoted};

/// What was given, by node position in the order written, and warnings about what was given
/// for nothing.
pub type Matched<T> = (Vec<(usize, T)>, Vec<Problem>);

/// What a word given as an input names.
enum Named {
    Input(usize),
    /// A node that is no variable input.
    Other(usize),
    Ambiguous,
    Unknown,
}

/// What every word names.
struct Words<'a> {
    recipe: &'a Recipe,
    ids: HashMap<&'a str, usize>,
    /// `None` for a name that several inputs have.
    names: HashMap<&'a str, Option<usize>>,
}

impl<'a> Words<'a> {
    fn new(recipe: &'a Recipe) -> Self {
        let ids = recipe.nodes.iter().enumerate().map(|(index, node)| (node.id.as_str(), index)).collect();
        let mut names = HashMap::new();
        for (index, node) in recipe.variable_inputs() {
            if let Some(name) = node.input_name() {
                names.entry(name).and_modify(|index| *index = None).or_insert(Some(index));
            }
        }
        Self { recipe, ids, names }
    }

    fn find(&self, word: &str) -> Named {
        match (self.ids.get(word), self.names.get(word)) {
            (Some(index), _) if self.recipe.nodes[*index].is_variable() => Named::Input(*index),
            (Some(index), _) => Named::Other(*index),
            (None, Some(Some(index))) => Named::Input(*index),
            (None, Some(None)) => Named::Ambiguous,
            (None, None) => Named::Unknown,
        }
    }
}

impl Recipe {
    /// Matches what is given by name: a node's id, or else the `name` of a variable input.
    /// Every variable input that the output needs must be given; one that it does not need is
    /// left out, with a warning.
    pub fn match_inputs<T: Clone>(&self, given: &[(String, T)]) -> Result<Matched<T>, Vec<Problem>> {
        let mut problems = Problems::default();
        let mut slots: Vec<Option<T>> = vec![None; self.nodes.len()];
        let inputs = Place::ROOT.key("inputs");
        let words = Words::new(self);
        for (word, value) in given {
            let place = inputs.key(word);
            let mut error = |kind, message| problems.error(kind, &place, Mark::default(), message);
            match words.find(word) {
                Named::Input(index) if slots[index].is_some() => {
                    error("duplicate_input", format!("the input {} is given twice", label(&self.nodes[index])));
                }
                Named::Input(index) => slots[index] = Some(value.clone()),
                Named::Other(index) => {
                    let node = &self.nodes[index];
                    let reason = if node.is_fixed() { "the config fixes it" } else { "it is no SOURCE" };
                    error("unknown_input", format!("{} is no variable input: {reason}", quoted(word)));
                }
                Named::Ambiguous => {
                    let message = format!("several inputs have the name {}; give them by their ids", quoted(word));
                    error("ambiguous_input", message);
                }
                Named::Unknown => {
                    let message = self.no_such_input(word, &mut problems);
                    problems.error("unknown_input", &place, Mark::default(), message);
                }
            }
        }
        self.take_needed(slots, problems)
    }

    /// Matches a plain list with the variable inputs in the order written: with those that the
    /// output needs if there are as many, else with all.
    pub fn match_listed<T: Clone>(&self, given: &[T]) -> Result<Matched<T>, Vec<Problem>> {
        let mut problems = Problems::default();
        let needed = self.needed();
        let all: Vec<usize> = self.variable_inputs().map(|(index, _)| index).collect();
        let wanted: Vec<usize> = all.iter().copied().filter(|index| needed[*index]).collect();
        let chosen = if given.len() == all.len() { &all } else { &wanted };
        if given.len() != chosen.len() {
            let names: Vec<String> = wanted.iter().map(|index| label(&self.nodes[*index])).collect();
            let listed = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
            let were = if given.len() == 1 { "was" } else { "were" };
            let message = format!(
                "the recipe takes {}{listed}, and {} {were} given",
                counted(wanted.len(), "input"),
                given.len()
            );
            problems.error("input_count", &Place::ROOT.key("inputs"), Mark::default(), message);
        }
        let mut slots: Vec<Option<T>> = vec![None; self.nodes.len()];
        if !problems.any_error() {
            for (index, value) in chosen.iter().zip(given) {
                slots[*index] = Some(value.clone());
            }
            return self.take_needed(slots, problems);
        }
        problems.finish().map(|warnings| (Vec::new(), warnings))
    }

    fn no_such_input(&self, word: &str, problems: &mut Problems) -> String {
        let words = || {
            let ids = self.variable_inputs().map(|(_, node)| node.id.as_str());
            ids.chain(self.variable_inputs().filter_map(|(_, node)| node.input_name()))
        };
        let suggestion = problems.did_you_mean(word, words());
        let inputs: Vec<String> = self.variable_inputs().take(12).map(|(_, node)| label(node)).collect();
        let rest = match (suggestion.is_empty(), inputs.is_empty()) {
            (false, _) => suggestion,
            (true, true) => "; the recipe takes none".to_owned(),
            (true, false) => format!("; there is {}", inputs.join(", ")),
        };
        format!("there is no input {}{rest}", quoted(word))
    }

    fn take_needed<T>(&self, slots: Vec<Option<T>>, mut problems: Problems) -> Result<Matched<T>, Vec<Problem>> {
        let needed = self.needed();
        let mut taken = Vec::new();
        let inputs = Place::ROOT.key("inputs");
        for (index, value) in slots.into_iter().enumerate() {
            let node = &self.nodes[index];
            let place = inputs.key(node.id.as_str());
            match value {
                Some(value) if needed[index] => taken.push((index, value)),
                Some(_) => {
                    let message = format!("the input {} is given, and the output does not need it", label(node));
                    problems.warning("unused_input", &place, Mark::default(), message);
                }
                None if needed[index] && node.is_variable() => {
                    let message = format!("the input {} is missing{}", label(node), purpose(node));
                    problems.error("missing_input", &place, Mark::default(), message);
                }
                None => {}
            }
        }
        problems.finish().map(|warnings| (taken, warnings))
    }
}

/// A variable input for people: its id, and its name if that says more.
fn label(node: &RecipeNode) -> String {
    let id = quoted(node.id.as_str());
    match node.input_name().filter(|name| *name != node.id.as_str()) {
        Some(name) => format!("{id} ({})", quoted(name)),
        None => id,
    }
}

fn purpose(node: &RecipeNode) -> String {
    match node.params.optional_text("description").filter(|text| !text.is_empty()) {
        Some(text) => format!(": {}", quoted(text)),
        None => String::new(),
    }
}
