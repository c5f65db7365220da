//! A request's body, counted and timed: it may not be longer than its route takes, and it may
//! not come so slowly that it is there to keep us waiting.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use crate::base::limits::{BODY_FREE_BYTES, BODY_PACE_BYTES, BODY_PACE_SECONDS};

/// How fast a body must come.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Bytes…
    pub bytes: u64,
    /// …for each of these spans of waiting for them.
    pub within: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { bytes: BODY_PACE_BYTES, within: Duration::from_secs(BODY_PACE_SECONDS) }
    }
}

/// Why a body was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// It is longer than its route takes.
    #[error("the body is longer than {limit} bytes")]
    TooLong {
        /// The most bytes that its route takes.
        limit: u64,
    },
    /// It comes too slowly.
    #[error("the body comes too slowly")]
    TooSlow,
    /// Too much of others is here.
    #[error("there is no room for the body")]
    NoRoom,
}

/// Tells whoever made a body whether it was cut off, and keeps its room until the last clone is gone.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Watched>);

#[derive(Debug, Default)]
struct Watched {
    cut: OnceLock<Cut>,
    room: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Watch {
    /// Was it cut off? Why?
    pub fn cut(&self) -> Option<Cut> {
        self.0.cut.get().copied()
    }

    /// Takes room until there are so many KiB.
    fn reserve(&self, all: &Arc<Semaphore>, kib: usize) -> Result<(), Cut> {
        let mut held = self.0.room.lock().unwrap_or_else(PoisonError::into_inner);
        let more = kib.saturating_sub(held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if more == 0 {
            return Ok(());
        }
        let more = u32::try_from(more).ok().and_then(|more| all.clone().try_acquire_many_owned(more).ok());
        match (&mut *held, more.ok_or(Cut::NoRoom)?) {
            (Some(held), more) => held.merge(more),
            (held, more) => *held = Some(more),
        }
        Ok(())
    }
}

/// What a body that is held whole counts against.
struct Held {
    /// Room for all, in KiB.
    room: Arc<Semaphore>,
    /// How many times its bytes it takes when it is read.
    weight: usize,
    came: usize,
}

/// A body that is counted and timed.
pub struct Counted {
    inner: Body,
    limit: u64,
    left: u64,
    held: Option<Held>,
    pace: Pace,
    watch: Watch,
    /// Bytes that came in this span, and how much of it was spent waiting for them. Time in
    /// which nobody asks for more does not count: the disk may be slow.
    came: u64,
    waited: Duration,
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Counted {
    /// Counts and times a body of at most `limit` bytes.
    pub fn new(inner: Body, limit: u64, pace: Pace) -> (Self, Watch) {
        let watch = Watch::default();
        let body = Self {
            inner,
            limit,
            left: limit,
            held: None,
            pace,
            watch: watch.clone(),
            came: 0,
            waited: Duration::ZERO,
            since: None,
            timer: None,
        };
        (body, watch)
    }

    /// The same for a body that is held whole: what it has beyond [`BODY_FREE_BYTES`] counts so many
    /// times against the room for all, in KiB, until its watch is dropped.
    pub fn held_in(mut self, room: Arc<Semaphore>, weight: usize) -> Self {
        self.held = Some(Held { room, weight, came: 0 });
        self
    }

    fn waits(&mut self, cx: &mut Context<'_>) -> Result<(), Cut> {
        if self.since.is_none() {
            self.since = Some(Instant::now());
            let rest = self.pace.within.saturating_sub(self.waited);
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(Instant::now() + rest),
                None => self.timer = Some(Box::pin(sleep(rest))),
            }
        }
        let late = self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
        if late { Err(Cut::TooSlow) } else { Ok(()) }
    }

    fn takes(&mut self, bytes: u64) -> Result<(), Cut> {
        self.waited += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        self.came += bytes;
        if self.came >= self.pace.bytes {
            (self.came, self.waited) = (0, Duration::ZERO);
        }
        self.left = self.left.checked_sub(bytes).ok_or(Cut::TooLong { limit: self.limit })?;
        if let Some(Held { room, weight, came }) = &mut self.held {
            *came += bytes as usize;
            self.watch.reserve(room, (came.saturating_sub(BODY_FREE_BYTES) * *weight).div_ceil(1024))?;
        }
        if self.waited >= self.pace.within { Err(Cut::TooSlow) } else { Ok(()) }
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        let judged = match &polled {
            Poll::Pending => self.waits(cx),
            Poll::Ready(Some(Ok(frame))) => self.takes(frame.data_ref().map_or(0, |data| data.len() as u64)),
            Poll::Ready(_) => Ok(()),
        };
        match judged {
            Ok(()) => polled,
            Err(cut) => {
                // Whatever stops it later, the first reason stands.
                let _ = self.watch.0.cut.set(cut);
                Poll::Ready(Some(Err(axum::Error::new(cut))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tokio::sync::mpsc;

    use super::*;

    /// A body whose pieces are sent by the test.
    fn body(limit: u64) -> (mpsc::Sender<Bytes>, Counted, Watch) {
        let (sender, mut pieces) = mpsc::channel::<Bytes>(1);
        let stream = futures_util::stream::poll_fn(move |cx| pieces.poll_recv(cx).map(|piece| piece.map(Ok::<_, Cut>)));
        let (body, watch) = Counted::new(Body::from_stream(stream), limit, Pace::default());
        (sender, body, watch)
    }

    #[tokio::test(start_paused = true)]
    async fn s17_a_body_that_trickles_is_cut_off() {
        let (sender, body, watch) = body(1 << 20);
        let start = Instant::now();
        let trickle = tokio::spawn(async move {
            while sender.send(Bytes::from_static(b"x")).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
        });
        assert!(body.collect().await.is_err());
        assert_eq!(watch.cut(), Some(Cut::TooSlow));
        assert!(start.elapsed() <= Duration::from_secs(30));
        trickle.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_is_taken_and_a_slow_taker_waited_for() {
        let (sender, mut body, watch) = body(1 << 20);
        let slow = tokio::spawn(async move {
            for _ in 0..8 {
                tokio::time::sleep(Duration::from_secs(15)).await;
                sender.send(Bytes::from(vec![0; BODY_PACE_BYTES as usize])).await.unwrap();
            }
        });
        let mut all = 0;
        while let Some(frame) = body.frame().await {
            all += frame.unwrap().into_data().unwrap().len() as u64;
            tokio::time::sleep(Duration::from_secs(100)).await;
        }
        slow.await.unwrap();
        assert_eq!((all, watch.cut()), (8 * BODY_PACE_BYTES, None));
    }

    #[tokio::test]
    async fn s18_bodies_that_are_held_share_a_room_and_short_ones_need_none() {
        let room = Arc::new(Semaphore::new(100));
        let held = |bytes: usize, weight| {
            let (body, watch) = Counted::new(Body::from(vec![0; bytes]), 1 << 20, Pace::default());
            (body.held_in(room.clone(), weight), watch)
        };
        let (first, of_first) = held(BODY_FREE_BYTES + 40 * 1024, 2);
        assert!(first.collect().await.is_ok());
        assert_eq!(room.available_permits(), 20, "80 of 100 are kept after the body has come");
        let (second, of_second) = held(BODY_FREE_BYTES + 20 * 1024 + 1, 1);
        assert!(second.collect().await.is_err());
        assert_eq!(of_second.cut(), Some(Cut::NoRoom));
        let (short, of_short) = held(BODY_FREE_BYTES, 1000);
        assert!(short.collect().await.is_ok());
        drop((of_first, of_second, of_short));
        assert_eq!(room.available_permits(), 100);
    }

    #[tokio::test]
    async fn s18_a_body_stops_at_its_limit() {
        let (body, watch) = Counted::new(Body::from(vec![0; 11]), 10, Pace::default());
        assert!(body.collect().await.is_err());
        assert_eq!(watch.cut(), Some(Cut::TooLong { limit: 10 }));
        let (body, watch) = Counted::new(Body::from(vec![0; 10]), 10, Pace::default());
        assert_eq!((body.collect().await.unwrap().to_bytes().len(), watch.cut()), (10, None));
    }
}
