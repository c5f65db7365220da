//! The commands that made a node's value: to be read, and to be run again by hand.

use maud::{Markup, html};

use crate::http::ui::shell;
use crate::http::ui::words;
use crate::records::{CommandTrace, FileTrace, Held};

/// The commands of a stage, in the order in which they were started.
pub fn commands(commands: &[CommandTrace]) -> Markup {
    html! {
        section.ran aria-label="What was run" {
            h3 { "What was run" }
            p.muted {
                @if commands.len() == 1 { "One command" } @else { (commands.len()) " commands" }
                " made all nodes that were computed together with this one, in a directory of its own with the files that are named."
                @if commands.iter().any(pipes) { " What goes through a pipe was handed on by artdag itself: " code { "pipe:1" } " of one is " code { "pipe:0" } " of the next, or was listened to." }
            }
            @for command in commands { (one(command)) }
        }
    }
}

fn pipes(command: &CommandTrace) -> bool {
    command.args.iter().any(|arg| arg == "pipe:0" || arg == "pipe:1")
}

/// A command as a shell reads it.
fn line(command: &CommandTrace) -> String {
    let words = std::iter::once(&command.program).chain(&command.args).map(|word| words::shell(word));
    words.collect::<Vec<String>>().join(" ")
}

fn one(command: &CommandTrace) -> Markup {
    let line = line(command);
    html! {
        div.command { pre tabindex="0" role="group" aria-label="The command" { code { (line) } } (shell::copy(&line)) }
        dl.files { @for file in &command.files { dt { code { (file.name) } } dd { (held(file)) } } }
    }
}

fn held(file: &FileTrace) -> Markup {
    match &file.holds {
        Held::Blob(hash) => html! { a href={ "/media/" (hash) } { "in the cache" } " " (words::hash(hash)) },
        Held::Pixels => html! { "the pixels of a picture that was decoded before, RGBA" },
        Held::Text(text) => html! {
            details.same {
                summary { "the graph of filters" }
                div.command { pre tabindex="0" role="group" aria-label={ "What is in " (file.name) } { code { (text) } } (shell::copy(text)) }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_that_a_shell_reads() {
        let args = ["-filter_complex_script", "all.graph", "-metadata", "a b"].map(str::to_owned).to_vec();
        let command = CommandTrace { program: "ffmpeg".to_owned(), args, files: Vec::new() };
        assert_eq!(line(&command), "ffmpeg -filter_complex_script all.graph -metadata 'a b'");
        assert!(!pipes(&command));
    }
}
