//! The beat that all connections share: whoever is to look again much later is woken on it.
//!
//! One task wakes them all, so that a thousand idle connections wake the machine four times a
//! second, and none of them has a timer of its own. Nothing is taken back: who was answered in time
//! is woken once for nothing, and what an ended task took is given back on its beat.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use tokio::time::Sleep;

use crate::{App, clock};

/// What is due later than this from now may as well be due at the next beat.
const LATER: Duration = Duration::from_secs(2);
/// From beat to beat.
const BEAT: Duration = Duration::from_millis(250);
/// No beat comes so late: there are 34 years of them.
const NEVER: u32 = u32::MAX;

/// Who is to be woken, by the beat.
#[derive(Debug)]
pub struct Beats {
    first: Instant,
    waiting: Mutex<BTreeMap<u32, Vec<Waker>>>,
}

/// When one connection is to look again.
#[derive(Debug)]
pub struct Alarm {
    beat: u32,
    /// On which beat it is woken in any case: it may be before the one that it waits for.
    asked: u32,
    /// For what is due soon.
    exact: Option<Pin<Box<Sleep>>>,
}

impl Beats {
    /// Nobody waits; the first beat is at this moment.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { first: now, waiting: Mutex::default() }
    }

    /// Wakes everybody whose beat has come.
    fn strike(&self, now: Instant) {
        let next = self.beat_for(now + Duration::from_nanos(1));
        let mut waiting = self.lock();
        let later = waiting.split_off(&next);
        let due = std::mem::replace(&mut *waiting, later);
        drop(waiting);
        due.into_values().flatten().for_each(Waker::wake);
    }

    /// The first beat that is not before this moment.
    fn beat_for(&self, at: Instant) -> u32 {
        let beats = at.saturating_duration_since(self.first).as_nanos().div_ceil(BEAT.as_nanos());
        u32::try_from(beats).unwrap_or(NEVER)
    }

    fn at(&self, beat: u32) -> Instant {
        self.first + BEAT * beat
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Vec<Waker>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Alarm {
    /// Set to look at once.
    fn default() -> Self {
        Self { beat: 0, asked: NEVER, exact: None }
    }
}

impl Alarm {
    /// Sets it to this moment: exactly where that is soon, else to the next beat.
    pub fn set(&mut self, at: Instant, beats: &Beats, now: Instant) {
        self.beat = beats.beat_for(at);
        if at.saturating_duration_since(now) >= LATER {
            self.exact = None;
            return;
        }
        let exact = self.exact.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at.into())));
        if exact.deadline().into_std() != at {
            exact.as_mut().reset(at.into());
        }
    }

    /// Ready when the moment has come.
    pub fn poll(&mut self, beats: &Beats, cx: &mut Context<'_>, now: Instant) -> Poll<()> {
        if let Some(exact) = &mut self.exact {
            return exact.as_mut().poll(cx);
        }
        if beats.at(self.beat) <= now {
            return Poll::Ready(());
        }
        // Whoever is woken earlier asks again then: it is asked once, however often it is set.
        if self.beat < self.asked || beats.at(self.asked) <= now {
            self.asked = self.beat;
            beats.lock().entry(self.beat).or_default().push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// Strikes each beat, for ever.
pub async fn keep_time(app: Arc<App>) {
    loop {
        let beats = &app.beats;
        let next = beats.at(beats.beat_for(clock::now() + Duration::from_nanos(1)));
        tokio::time::sleep_until(next.into()).await;
        beats.strike(clock::now());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn what_is_due_much_later_is_looked_at_together() {
        let now = clock::now();
        let beats = Beats::new(now);
        let due: std::collections::BTreeSet<u32> =
            (30_000..31_000).map(|ms| beats.beat_for(now + Duration::from_millis(ms))).collect();
        assert!(due.len() <= 5, "{} moments", due.len());
        assert_eq!(beats.at(beats.beat_for(now + BEAT)), now + BEAT);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_soon_is_looked_at_in_time_also_where_much_later_was_asked_for_before() {
        let (beats, mut alarm) = (Beats::new(clock::now()), Alarm::default());
        let began = clock::now();
        for due_ms in [1_999, 1, 1_501] {
            let set_at = clock::now();
            alarm.set(set_at + Duration::from_secs(30), &beats, set_at);
            let mut later = std::future::poll_fn(|cx| alarm.poll(&beats, cx, clock::now()));
            assert!(futures_util::poll!(&mut later).is_pending());
            alarm.set(set_at + Duration::from_millis(due_ms), &beats, set_at);
            std::future::poll_fn(|cx| alarm.poll(&beats, cx, clock::now())).await;
            assert_eq!(clock::now() - set_at, Duration::from_millis(due_ms));
        }
        assert_eq!(clock::now() - began, Duration::from_millis(1_999 + 1 + 1_501));
    }

    #[test]
    fn whoever_asks_right_behind_their_beat_is_woken_on_the_next() {
        let now = clock::now();
        let (beats, mut alarm, woken) =
            (Beats::new(now), Alarm::default(), Arc::<Woken>::default());
        let waker = Arc::clone(&woken).into();
        let mut cx = Context::from_waker(&waker);
        let due = now + LATER;
        alarm.set(due, &beats, now);
        // The beat strikes between the look at the clock and the asking.
        beats.strike(due);
        assert!(alarm.poll(&beats, &mut cx, due - Duration::from_millis(1)).is_pending());
        beats.strike(due + BEAT);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn whoever_waits_is_woken_on_their_beat_and_stands_there_once() {
        let now = clock::now();
        let at = |s| now + Duration::from_secs(s);
        let (beats, mut alarm, woken) =
            (Beats::new(now), Alarm::default(), Arc::<Woken>::default());
        let waker = Arc::clone(&woken).into();
        let mut cx = Context::from_waker(&waker);
        let mut looks = |due, now| {
            alarm.set(at(due), &beats, at(now));
            alarm.poll(&beats, &mut cx, at(now)).is_ready()
        };
        assert!(!looks(10, 0));
        for ms in 0..100 {
            assert!(!looks(30 + ms % 2, 0));
        }
        beats.strike(at(9));
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        beats.strike(at(10));
        assert_eq!(woken.0.load(Ordering::Relaxed), 1, "on the first beat that was asked for");
        assert!(!looks(30, 10));
        beats.strike(at(30));
        assert_eq!(woken.0.load(Ordering::Relaxed), 2);
        assert!(alarm.poll(&beats, &mut cx, at(30)).is_ready());
        assert!(beats.lock().is_empty());
    }
}
