//! From words to what the engine takes: inputs, parameters, recipes.

use std::path::Path;

use serde_json::{Map, Value};

use crate::base::{ContentHash, NodeId};
use crate::cli::args::RunArgs;
use crate::cli::ctx::Ctx;
use crate::cli::error::CliError;
use crate::cli::gather;
use crate::engine::{EngineError, Inputs, RecipeRef, Request};
use crate::media::encode::Format;
use crate::records::RunOptions;

/// The blob that a word names: an asset, a hash, then a file, which is taken in. A word with a
/// slash is always a file.
pub fn blob(ctx: &Ctx<'_>, word: &str) -> Result<ContentHash, CliError> {
    if word.is_empty() {
        return Err(CliError::usage("an input is empty; name an asset, a hash or a file"));
    }
    let path = ctx.io.cwd.join(word);
    if word.contains('/') {
        return file(ctx, &path);
    }
    if let Some(hash) = ctx.backend.find_asset(word)? {
        return Ok(hash);
    }
    if let Ok(hash) = word.parse::<ContentHash>() {
        return Ok(hash);
    }
    if path.exists() {
        return file(ctx, &path);
    }
    let assets = ctx.backend.assets()?;
    let hint = crate::base::suggest::did_you_mean(word, assets.keys().map(String::as_str));
    Err(CliError::not_found(format!("{word:?} is no asset, no content hash and no file here{hint}")))
}

fn file(ctx: &Ctx<'_>, path: &Path) -> Result<ContentHash, CliError> {
    ctx.backend.need_file(path)
}

/// `NODE=WORD` or `NODE=A,B,C` pairs.
pub fn named(ctx: &Ctx<'_>, pairs: &[String]) -> Result<Inputs, CliError> {
    let mut named = Vec::new();
    for pair in pairs {
        let Some((node, words)) = pair.split_once('=') else {
            return Err(CliError::usage(format!("-i {pair}: write it as NODE=FILE, NODE=HASH or NODE=ASSET")));
        };
        if named.iter().any(|(known, _)| known == node) {
            return Err(CliError::invalid(format!("the input {node} is given twice; a list has commas: {node}=A,B")));
        }
        named.push((node.to_owned(), words_of(ctx, words)?));
    }
    Ok(Inputs::Named(named))
}

/// A word, or several with commas between them where the whole is no word itself; a directory is all files below it.
fn words_of(ctx: &Ctx<'_>, words: &str) -> Result<Vec<ContentHash>, CliError> {
    if words.is_empty() {
        return Ok(vec![blob(ctx, words)?]);
    }
    let path = ctx.io.cwd.join(words);
    if path.is_dir() && (words.contains('/') || ctx.backend.find_asset(words)?.is_none()) {
        let files = gather::below(&path)?;
        if files.is_empty() {
            return Err(CliError::invalid(format!("{words}: no files are below")));
        }
        return files.iter().map(|path| file(ctx, path)).collect();
    }
    if !words.contains(',') || ctx.io.cwd.join(words).exists() {
        return Ok(vec![blob(ctx, words)?]);
    }
    words.split(',').map(|word| blob(ctx, word)).collect()
}

/// A recipe that a word names: a config file, an effect, a config's id or name.
pub fn recipe(ctx: &Ctx<'_>, word: &str, files: bool) -> Result<(RecipeRef, String), CliError> {
    let path = ctx.io.cwd.join(word);
    let extension = Path::new(word).extension().and_then(|extension| extension.to_str());
    let looks_like_a_file = word.contains('/') || matches!(extension, Some("yaml" | "yml" | "json"));
    if files && (looks_like_a_file || (path.is_file() && ctx.backend.find_recipe(word).is_err())) {
        return Ok((RecipeRef::Bytes(config_bytes(&path)?), word.to_owned()));
    }
    Ok((ctx.backend.find_recipe(word)?, word.to_owned()))
}

/// A config file's bytes. One that is too large is not read: what is wrong with it is said by
/// its first bytes over the limit.
pub fn config_bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    use std::io::Read as _;
    let failed = |error: std::io::Error| CliError::Engine(EngineError::file(path, &error));
    let file = std::fs::File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(CliError::invalid(format!("{}: not a regular file", path.display())));
    }
    let mut bytes = Vec::new();
    file.take(crate::base::limits::CONFIG_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// A request from what the command was given.
pub fn request(recipe: RecipeRef, inputs: Inputs, args: &RunArgs) -> Result<Request, CliError> {
    let bare = matches!(recipe, RecipeRef::Effect(_));
    Ok(Request {
        recipe,
        inputs,
        params: params(&args.params, bare)?,
        output_name: args.output_name.clone(),
        format: format(args)?,
        options: RunOptions {
            cache: !args.no_cache,
            fuse: !args.no_fuse,
            keep: ids(&args.keep),
            force: ids(&args.force),
            checkpoint: args.checkpoint.clone(),
        },
        priority: args.priority,
        username: None,
        fixed: Vec::new(),
    })
}

fn ids(words: &[String]) -> Vec<NodeId> {
    words.iter().map(|word| NodeId::new(word.as_str())).collect()
}

fn format(args: &RunArgs) -> Result<Option<(Format, Option<u8>)>, CliError> {
    let Some(word) = &args.format else { return Ok(None) };
    let Some(format) = Format::parse(word) else {
        let hint = crate::base::suggest::did_you_mean(word, Format::ALL.iter().map(|format| format.name()));
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        return Err(CliError::usage(format!("--format {word}: no such format{hint} (there are {})", known.join(", "))));
    };
    if args.quality.is_some() && !format.has_quality() {
        return Err(CliError::usage(format!("--quality: {} has no quality to choose", format.name())));
    }
    Ok(Some((format, args.quality)))
}

/// `NODE.name=value`, or `name=value` for a bare effect, as the API's `params`.
fn params(words: &[String], bare: bool) -> Result<Map<String, Value>, CliError> {
    let mut params = Map::new();
    for word in words {
        let usage = |form: &str| CliError::usage(format!("--param {word}: write it as {form}"));
        let form = if bare { "name=value" } else { "NODE.name=value" };
        let (path, value) = word.split_once('=').ok_or_else(|| usage(form))?;
        let value = Value::String(value.to_owned());
        if bare {
            params.insert(path.to_owned(), value);
            continue;
        }
        let (node, name) = path.split_once('.').ok_or_else(|| usage(form))?;
        let of_node = params.entry(node.to_owned()).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(entries) = of_node {
            entries.insert(name.to_owned(), value);
        }
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_gathered_by_node() {
        let words = ["a.x=1", "a.effects.hue=2", "b.y=z=3"].map(str::to_owned);
        let expected = serde_json::json!({"a": {"x": "1", "effects.hue": "2"}, "b": {"y": "z=3"}});
        assert_eq!(Value::Object(params(&words, false).unwrap()), expected);
        let bare = params(&["sigma=2".to_owned()], true).unwrap();
        assert_eq!(Value::Object(bare), serde_json::json!({"sigma": "2"}));
        assert!(params(&["sigma=2".to_owned()], false).is_err());
        assert!(params(&["sigma".to_owned()], true).is_err());
    }
}
