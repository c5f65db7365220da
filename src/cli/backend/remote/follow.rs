//! What happens to a run at a server: its stream of events, opened again where the way is lost.

use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use ureq::Body;
use ureq::http::{Method, Response, StatusCode, header};

use crate::base::RunId;
use crate::base::limits::{EVENT_BYTES, EVENTS_UNSEEN, RECONNECT_SECONDS};
use crate::cli::backend::Answer;
use crate::cli::backend::follow::{Follow, Happened};
use crate::cli::backend::remote::http::Client;
use crate::cli::backend::remote::sse::{Event, Parser};
use crate::cli::error::{CliError, Exit};
use crate::engine::views::RunView;

/// The first wait before a stream is opened again; each next one is twice as long.
const SOON: Duration = Duration::from_millis(200);
/// The longest.
const LATER: Duration = Duration::from_secs(5);

/// Follows a run on a thread of its own, which ends with the run, or when nobody listens.
pub struct Following {
    told: Receiver<Answer<Happened>>,
}

impl Following {
    /// Begins to follow.
    pub fn new(client: Client, run: RunId) -> Answer<Self> {
        let (to, told) = sync_channel(EVENTS_UNSEEN);
        let reader = Reader { client, run, parser: Parser::default(), to };
        let spawned = std::thread::Builder::new().name("events".to_owned()).spawn(move || reader.read());
        spawned.map_err(|error| CliError::machine(format!("no thread can be started: {error}")))?;
        Ok(Self { told })
    }
}

impl Follow for Following {
    fn next(&mut self, patience: Duration) -> Answer<Option<Happened>> {
        match self.told.recv_timeout(patience) {
            Ok(told) => told.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(CliError::machine("the run is not followed any more")),
        }
    }
}

struct Reader {
    client: Client,
    run: RunId,
    parser: Parser,
    to: SyncSender<Answer<Happened>>,
}

/// How a stream ended.
enum End {
    /// There is nothing more to tell, or nobody to tell it to.
    Over,
    /// The way was lost.
    Lost(CliError),
}

impl Reader {
    fn read(mut self) {
        let (mut wait, mut since) = (SOON, None);
        loop {
            let error = match self.open() {
                Ok(Some(stream)) => {
                    (wait, since) = (SOON, None);
                    match self.listen(stream) {
                        End::Over => return,
                        End::Lost(error) => error,
                    }
                }
                Ok(None) => return,
                Err(error) => error,
            };
            let since = *since.get_or_insert_with(Instant::now);
            let hopeless = since.elapsed() >= Duration::from_secs(RECONNECT_SECONDS);
            // Only a server that cannot be reached now may be reached later.
            if hopeless || error.exit() != Exit::Unreachable {
                let _ = self.to.send(Err(error));
                return;
            }
            if self.to.send(Ok(Happened::Reconnecting)).is_err() {
                return;
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(LATER);
        }
    }

    /// Opens the stream, after the last event that was seen. `None` where the run's last event
    /// was seen already: then the run is told once more.
    fn open(&self) -> Answer<Option<Response<Body>>> {
        let request = self.client.request(Method::GET, &format!("/runs/{}/events", self.run));
        let mut request = request.header(header::ACCEPT, "text/event-stream");
        if let Some(id) = &self.parser.last_id {
            request = request.header("last-event-id", id);
        }
        let response = self.client.checked(self.client.stream(self.client.built(request, ())?)?)?;
        if response.status() == StatusCode::NO_CONTENT {
            let view: RunView = self.client.get_json(&format!("/runs/{}", self.run))?;
            let _ = self.to.send(Ok(Happened::Run(Box::new(view))));
            return Ok(None);
        }
        Ok(Some(response))
    }

    fn listen(&mut self, stream: Response<Body>) -> End {
        self.parser.reset();
        let mut lines = BufReader::new(stream.into_body().into_reader());
        let mut line = Vec::new();
        loop {
            line.clear();
            match lines.by_ref().take(EVENT_BYTES as u64).read_until(b'\n', &mut line) {
                Ok(0) => {
                    return End::Lost(
                        self.client.unreachable(&std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
                    );
                }
                Ok(_) => {}
                Err(error) => return End::Lost(self.client.unreachable(&error.into())),
            }
            let text = String::from_utf8_lossy(&line);
            let Some(event) = self.parser.line(text.trim_end_matches(['\n', '\r'])) else { continue };
            let Some(happened) = happened(&event) else { continue };
            let last = matches!(&happened, Happened::Run(run) if run.status.is_final());
            if self.to.send(Ok(happened)).is_err() || last {
                return End::Over;
            }
        }
    }
}

/// What an event says; `None` for one that is not known here.
fn happened(event: &Event) -> Option<Happened> {
    let read = match event.name.as_str() {
        "run" => serde_json::from_str(&event.data).map(Happened::Run),
        "node" => serde_json::from_str(&event.data).map(Happened::Node),
        "progress" => serde_json::from_str(&event.data).map(Happened::Progress),
        _ => return None,
    };
    read.inspect_err(|error| tracing::warn!(%error, name = event.name, "an event is not understood")).ok()
}
