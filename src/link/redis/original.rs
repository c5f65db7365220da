//! The original's own runs, read for taking them over.

use std::time::Duration;

use redis::Client;

use crate::base::limits::{CHANGES_AT_ONCE, REDIS_ANSWER_SECONDS, REDIS_CONNECT_SECONDS};

/// Why they cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the runs in Redis cannot be read: {0}")]
pub struct Unreadable(String);

/// The runs that the original kept in a database, as JSON, without those that a mirror of ours
/// has written there.
pub fn runs_of_the_original(url: &str) -> Result<Vec<String>, Unreadable> {
    read(url).map_err(|error| Unreadable(error.to_string()))
}

fn read(url: &str) -> Result<Vec<String>, redis::RedisError> {
    let client = Client::open(url)?;
    let mut connection = client.get_connection_with_timeout(Duration::from_secs(REDIS_CONNECT_SECONDS))?;
    connection.set_read_timeout(Some(Duration::from_secs(REDIS_ANSWER_SECONDS)))?;
    let (mut runs, mut cursor) = (std::collections::BTreeMap::new(), 0_u64);
    loop {
        let (next, keys): (u64, Vec<Vec<u8>>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg("artdag:run:*")
            .arg("COUNT")
            .arg(CHANGES_AT_ONCE)
            .query(&mut connection)?;
        if !keys.is_empty() {
            let texts: Vec<Option<Vec<u8>>> = redis::cmd("MGET").arg(&keys).query(&mut connection)?;
            // What is no text is left there, and told of, as any other that is no run.
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            runs.extend(keys.into_iter().zip(texts).filter_map(|(key, bytes)| Some((key, text(bytes?)))));
        }
        cursor = next;
        if cursor == 0 {
            let theirs = |text: &String| !super::mirror::is_ours(text);
            return Ok(runs.into_values().filter(theirs).collect());
        }
    }
}
