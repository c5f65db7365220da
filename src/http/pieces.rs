//! A body of bytes that are there already: held in memory, or mapped from a file.
//!
//! The threads that speak never wait for the disk: a long mapping is read into memory piece by
//! piece by others, each while the one before it goes out.

use std::collections::VecDeque;
use std::future::Future as _;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::base::limits::PAGED_BYTES;
use crate::engine::Bytes as Blob;

/// The body.
pub struct Pieces {
    blob: Blob,
    /// The blob's bytes, to be cut up.
    bytes: Bytes,
    left: VecDeque<Piece>,
    /// Bytes that have not gone out.
    length: u64,
    /// The next piece, on its way into memory.
    ahead: Option<JoinHandle<Option<Bytes>>>,
}

/// A part of the body.
pub enum Piece {
    /// Text of ours.
    Held(Bytes),
    /// A part of the blob.
    Part(Range<usize>),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Held(bytes) => bytes.len(),
            Self::Part(part) => part.len(),
        }
    }
}

impl Pieces {
    /// A body of these pieces of a blob, in their order.
    pub fn new(blob: Blob, pieces: impl IntoIterator<Item = Piece>) -> Self {
        let left: VecDeque<Piece> = pieces.into_iter().filter(|piece| piece.len() > 0).collect();
        let length = left.iter().map(|piece| piece.len() as u64).sum();
        Self { bytes: Bytes::from_owner(blob.clone()), blob, left, length, ahead: None }
    }

    /// The next piece, if it can go out without being read first.
    fn at_once(&mut self) -> Option<Bytes> {
        // What is short is not worth another thread: at worst a few pages are read.
        match self.left.pop_front()? {
            Piece::Held(bytes) => Some(bytes),
            Piece::Part(part) if part.len() <= PAGED_BYTES / 4 => Some(self.bytes.slice(part)),
            part @ Piece::Part(_) => {
                self.left.push_front(part);
                None
            }
        }
    }

    /// Has the next part of the blob read by a thread that may wait.
    fn read_ahead(&mut self) {
        let Some(Piece::Part(part)) = self.left.front_mut() else { return };
        let next = part.start..part.end.min(part.start + PAGED_BYTES);
        part.start = next.end;
        if part.start == part.end {
            self.left.pop_front();
        }
        let (blob, bytes) = (self.blob.clone(), self.bytes.slice(next.clone()));
        self.ahead = Some(spawn_blocking(move || blob.page_in(next).then_some(bytes)));
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.ahead.is_none() {
            if let Some(bytes) = self.at_once() {
                self.length -= bytes.len() as u64;
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            self.read_ahead();
        }
        let Some(ahead) = &mut self.ahead else { return Poll::Ready(None) };
        let Poll::Ready(read) = Pin::new(ahead).poll(cx) else { return Poll::Pending };
        self.ahead = None;
        // Half an answer is better than a whole one with what is not in the file.
        let read = read.map_err(io::Error::other).and_then(|bytes| bytes.ok_or(io::ErrorKind::UnexpectedEof.into()));
        if let Ok(bytes) = &read {
            self.length -= bytes.len() as u64;
            self.read_ahead();
        }
        Poll::Ready(Some(read.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.length == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::base::ContentHash;
    use crate::http::testing::TestApp;

    #[tokio::test]
    async fn a_long_blob_comes_whole_and_so_do_its_parts() {
        let test = TestApp::new(true, &[]);
        let content: Vec<u8> = (0..3 * PAGED_BYTES + 77).map(|at| (at % 251) as u8).collect();
        test.app.engine.add_bytes(&content, None).unwrap();
        let (blob, _) = test.app.engine.open_bytes(&ContentHash::of(&content)).unwrap();
        let held = |text: &'static str| Piece::Held(Bytes::from_static(text.as_bytes()));
        let (short, long) = (5..17, PAGED_BYTES - 3..2 * PAGED_BYTES + 9);
        for (pieces, expected) in [
            (vec![Piece::Part(0..content.len())], content.clone()),
            (vec![Piece::Part(7..7), held("a")], b"a".to_vec()),
            (
                vec![held("<"), Piece::Part(long.clone()), held("|"), Piece::Part(short.clone()), held(">")],
                [b"<", &content[long.clone()], b"|", &content[short.clone()], b">"].concat(),
            ),
        ] {
            let body = Pieces::new(blob.clone(), pieces);
            assert_eq!(http_body::Body::size_hint(&body).exact(), Some(expected.len() as u64));
            assert!(body.collect().await.unwrap().to_bytes() == expected);
        }
    }
}
