//! A connection's bytes, with an end to patience: a peer that takes nothing for too long is
//! given up, and one that still sends when we are done gets the answer before the end.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Bytes that are taken and thrown away at once while a connection ends.
const DISCARDED: usize = 8 << 10;

/// A stream whose writes do not wait for ever.
pub struct Paced<S> {
    inner: S,
    /// How long the peer may take nothing.
    stall: Duration,
    /// How long late bytes are taken after the end.
    linger: Duration,
    /// Runs while a write waits, and after the end.
    timer: Option<Pin<Box<Sleep>>>,
    waits: bool,
    ended: bool,
}

impl<S> Paced<S> {
    /// Wraps a stream.
    pub const fn new(inner: S, stall: Duration, linger: Duration) -> Self {
        Self { inner, stall, linger, timer: None, waits: false, ended: false }
    }

    fn start_timer(&mut self, after: Duration) {
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(Instant::now() + after),
            None => self.timer = Some(Box::pin(sleep(after))),
        }
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready())
    }

    /// Passes on what a write gave; one that has waited for too long has failed.
    fn judge<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = false;
            return written;
        }
        if !self.waits {
            self.waits = true;
            self.start_timer(self.stall);
        }
        if self.is_late(cx) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the reader takes nothing")));
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, pieces);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.judge(cx, flushed)
    }

    /// Says that nothing more comes, then takes what the peer had under way for a moment: a
    /// socket that is closed over unread bytes resets, and the peer loses the answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.ended {
            ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
            self.ended = true;
            let linger = self.linger;
            self.start_timer(linger);
        }
        loop {
            if self.is_late(cx) {
                return Poll::Ready(Ok(()));
            }
            let mut room = [0; DISCARDED];
            let mut buffer = ReadBuf::new(&mut room);
            match ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => return Poll::Ready(Ok(())),
                Ok(()) => {}
                Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const STALL: Duration = Duration::from_secs(60);
    const LINGER: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn s18_a_reader_that_takes_nothing_is_given_up() {
        let (ours, _theirs) = tokio::io::duplex(1 << 10);
        let mut stream = Paced::new(ours, STALL, LINGER);
        let start = Instant::now();
        let error = stream.write_all(&[0; 4 << 10]).await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed()), (io::ErrorKind::TimedOut, STALL));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_served_and_an_idle_stream_lives() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 10);
        let mut stream = Paced::new(ours, STALL, LINGER);
        let reader = tokio::spawn(async move {
            let (mut all, mut piece) = (0, [0; 64]);
            while all < 4 << 10 {
                tokio::time::sleep(STALL / 2).await;
                all += theirs.read(&mut piece).await.unwrap();
            }
            theirs
        });
        stream.write_all(&[0; 4 << 10]).await.unwrap();
        let mut theirs = reader.await.unwrap();
        tokio::time::sleep(STALL * 10).await;
        stream.write_all(b"later").await.unwrap();
        let mut later = [0; 5];
        theirs.read_exact(&mut later).await.unwrap();
        assert_eq!(&later, b"later");
    }

    #[tokio::test(start_paused = true)]
    async fn late_bytes_are_taken_until_the_peer_ends_or_patience_does() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 10);
        let mut stream = Paced::new(ours, STALL, LINGER);
        let start = Instant::now();
        let sender = tokio::spawn(async move { theirs.write_all(&vec![0; 64 << 10]).await });
        stream.shutdown().await.unwrap();
        assert!(start.elapsed() < LINGER);
        sender.await.unwrap().unwrap();

        let (ours, theirs) = tokio::io::duplex(1 << 10);
        let mut stream = Paced::new(ours, STALL, LINGER);
        let start = Instant::now();
        stream.shutdown().await.unwrap();
        assert_eq!(start.elapsed(), LINGER);
        drop(theirs);
    }
}
