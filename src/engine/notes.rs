//! How a run's stages are carried out: what each waited for, when it worked, what it stored and which
//! commands it ran. For people who look at the run; nothing depends on it.

use std::collections::HashMap;
use std::time::Duration;

use crate::base::Timestamp;
use crate::base::limits::RUN_COMMAND_BYTES;
use crate::records::{CommandTrace, CommandsRow, Held};

/// How a node was carried out.
#[derive(Debug, Default, Clone, Copy)]
pub struct NodeNotes {
    /// When its stage was begun.
    pub started: Option<Timestamp>,
    /// When its value was there, or it had failed.
    pub ended: Option<Timestamp>,
    /// Its stage, counted from the beginning of the run.
    pub stage: Option<u32>,
    /// Microseconds that storing its value took.
    pub stored: Option<u32>,
}

/// How a stage was carried out.
#[derive(Debug, Default, Clone)]
pub struct StageNotes {
    /// When all that it reads was there.
    pub ready: Option<Timestamp>,
    /// When it was done.
    ended: Option<Timestamp>,
    /// What it ran.
    commands: Vec<CommandTrace>,
}

/// Notes on all stages of a run, those included that it had before the rest could be planned.
#[derive(Debug)]
pub struct Notes {
    /// When the stages of the plan could begin.
    begun: Timestamp,
    /// Stages before those of the plan.
    before: usize,
    stages: Vec<StageNotes>,
    nodes: HashMap<usize, NodeNotes>,
    command_bytes: usize,
}

impl Notes {
    /// Of a plan that is about to be carried out.
    pub fn new(stages: usize) -> Self {
        Self::after(Vec::new(), stages, 0)
    }

    /// The same for a plan that goes on where this one ended. What is noted of nodes is the caller's to keep: they
    /// are others there.
    pub fn followed_by(&self, stages: usize) -> Self {
        Self::after(self.stages.clone(), stages, self.command_bytes)
    }

    fn after(mut noted: Vec<StageNotes>, stages: usize, command_bytes: usize) -> Self {
        let before = noted.len();
        noted.resize_with(before + stages, StageNotes::default);
        Self { begun: Timestamp::now(), before, stages: noted, nodes: HashMap::new(), command_bytes }
    }

    /// A stage of the plan begins; `after` are the stages that it waited for.
    pub fn began(&mut self, stage: usize, after: &[usize], nodes: &[usize]) {
        let now = Timestamp::now();
        let ready = after.iter().filter_map(|stage| self.stages[self.before + stage].ended).max();
        // A stage that is tried once more was ready before the first try.
        let number = self.before + stage;
        self.stages[number].ready.get_or_insert(ready.unwrap_or(self.begun));
        // Of several tries the last one is told of.
        self.command_bytes -= self.stages[number].commands.drain(..).map(|command| size(&command)).sum::<usize>();
        let of_stage = u32::try_from(number).ok();
        let begun = NodeNotes { started: Some(now), stage: of_stage, ..NodeNotes::default() };
        self.nodes.extend(nodes.iter().map(|node| (*node, begun)));
    }

    /// All of a stage of the plan is there, or it has failed.
    pub fn stage_ended(&mut self, stage: usize) {
        self.stages[self.before + stage].ended = Some(Timestamp::now());
    }

    /// A stage of the plan has started a command. Those of a run are kept up to a limit.
    pub fn ran(&mut self, stage: usize, command: CommandTrace) {
        let bytes = size(&command);
        if self.command_bytes + bytes <= RUN_COMMAND_BYTES {
            self.command_bytes += bytes;
            self.stages[self.before + stage].commands.push(command);
        }
    }

    /// Storing a node's value took this long.
    pub fn stored(&mut self, node: usize, took: Duration) {
        let took = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        let stored = &mut self.nodes.entry(node).or_default().stored;
        *stored = Some(stored.unwrap_or(0).saturating_add(took));
    }

    /// A node has ended.
    pub fn node_ended(&mut self, node: usize) {
        self.nodes.entry(node).or_default().ended = Some(Timestamp::now());
    }

    /// What is noted of a node of the plan.
    pub fn of_node(&self, node: usize) -> NodeNotes {
        self.nodes.get(&node).copied().unwrap_or_default()
    }

    /// What is noted of the stages, from the beginning of the run.
    pub fn stages(&self) -> &[StageNotes] {
        &self.stages
    }

    /// What each stage ran that ran anything.
    pub fn commands(&self) -> Vec<(u32, CommandsRow)> {
        let ran = self.stages.iter().zip(0..).filter(|(stage, _)| !stage.commands.is_empty());
        ran.map(|(stage, number)| (number, CommandsRow { commands: stage.commands.clone() })).collect()
    }
}

/// About how many bytes a command takes where it is kept.
fn size(command: &CommandTrace) -> usize {
    let text = |holds: &Held| if let Held::Text(text) = holds { text.len() } else { 0 };
    let files = command.files.iter().map(|file| file.name.len() + text(&file.holds) + 64);
    command.args.iter().map(|arg| arg.len() + 8).chain(files).sum::<usize>() + command.program.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::FileTrace;

    fn command(text: usize) -> CommandTrace {
        let file = FileTrace { name: "all.graph".to_owned(), holds: Held::Text("x".repeat(text)) };
        CommandTrace { program: "ffmpeg".to_owned(), args: vec!["-y".to_owned()], files: vec![file] }
    }

    #[test]
    fn a_stage_is_ready_when_those_before_it_have_ended() {
        let mut notes = Notes::new(2);
        notes.began(0, &[], &[0]);
        notes.stage_ended(0);
        notes.began(1, &[0], &[1, 2]);
        let ended = notes.stages[0].ended;
        assert_eq!(notes.stages[0].ready, Some(notes.begun));
        assert_eq!(notes.stages[1].ready, ended);
        assert!(ended.is_some() && notes.of_node(2).started >= ended);
        assert_eq!(notes.of_node(2).stage, Some(1));
    }

    #[test]
    fn the_last_try_is_told_of_and_its_wait_is_counted_from_the_first() {
        let mut notes = Notes::new(1);
        notes.began(0, &[], &[0]);
        let ready = notes.stages[0].ready;
        notes.ran(0, command(10));
        notes.began(0, &[], &[0]);
        notes.ran(0, command(20));
        assert_eq!(notes.commands(), [(0, CommandsRow { commands: vec![command(20)] })]);
        assert_eq!(notes.stages[0].ready, ready);
        assert_eq!(notes.command_bytes, size(&command(20)));
    }

    #[test]
    fn stages_are_counted_from_the_beginning_of_the_run() {
        let mut first = Notes::new(1);
        first.began(0, &[], &[0]);
        first.ran(0, command(1));
        let mut rest = first.followed_by(2);
        rest.began(1, &[], &[5]);
        rest.ran(1, command(2));
        assert_eq!(rest.of_node(5).stage, Some(2));
        let numbers: Vec<u32> = rest.commands().iter().map(|(number, _)| *number).collect();
        assert_eq!((numbers, rest.stages().len()), (vec![0, 2], 3));
    }

    #[test]
    fn commands_are_kept_up_to_a_limit() {
        let mut notes = Notes::new(2);
        notes.ran(0, command(RUN_COMMAND_BYTES - 1000));
        notes.ran(1, command(2000));
        assert_eq!(notes.commands().len(), 1);
    }
}
