//! A queue that takes next to nothing while nothing waits in it: of many connections most are
//! silent.

use std::collections::VecDeque;

/// What waits, first in, first out. What it took is given back when there is nothing to take out.
#[derive(Clone, Debug)]
pub struct Queue<T>(Option<Box<Waiting<T>>>);

/// In a box of its own, for a `VecDeque` is four words also while it is empty. Mostly one thing
/// waits, and needs no other place.
#[derive(Clone, Debug)]
struct Waiting<T> {
    first: T,
    then: VecDeque<T>,
}

impl<T> Queue<T> {
    /// Puts something behind what waits.
    pub fn push_back(&mut self, value: T) {
        match &mut self.0 {
            Some(waiting) => waiting.then.push_back(value),
            None => self.0 = Some(Waiting::begin(value, VecDeque::new())),
        }
    }

    /// Takes out what has waited longest.
    pub fn pop_front(&mut self) -> Option<T> {
        let mut waiting = self.0.take()?;
        let Some(next) = waiting.then.pop_front() else { return Some(waiting.first) };
        let first = std::mem::replace(&mut waiting.first, next);
        self.0 = Some(waiting);
        Some(first)
    }

    /// What waits, in its order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|waiting| std::iter::once(&waiting.first).chain(&waiting.then))
    }

    /// How much waits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |waiting| 1 + waiting.then.len())
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// Keeps what `keep` says.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let Some(waiting) = self.0.take() else { return };
        let Waiting { first, mut then } = *waiting;
        let first = keep(&first).then_some(first);
        then.retain(keep);
        self.0 = first.or_else(|| then.pop_front()).map(|first| Waiting::begin(first, then));
    }
}

impl<T> Waiting<T> {
    fn begin(first: T, then: VecDeque<T>) -> Box<Self> {
        Box::new(Self { first, then })
    }
}

impl<T: PartialEq> Queue<T> {
    /// Whether this waits.
    #[must_use]
    pub fn contains(&self, value: &T) -> bool {
        self.iter().any(|other| other == value)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Extend<T> for Queue<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.push_back(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_comes_out_in_order_and_then_nothing_is_held() {
        let mut queue = Queue::default();
        queue.extend(None);
        assert!(queue.0.is_none());
        queue.push_back(1);
        queue.extend([2, 3, 4]);
        queue.retain(|n| *n != 3);
        assert!(queue.contains(&4) && !queue.contains(&3));
        assert_eq!((queue.len(), queue.is_empty()), (3, false));
        assert_eq!(queue.iter().collect::<Vec<_>>(), [&1, &2, &4]);
        let order: Vec<i32> = std::iter::from_fn(|| queue.pop_front()).collect();
        assert_eq!(order, [1, 2, 4]);
        assert!(queue.is_empty() && queue.0.is_none());
    }

    #[test]
    fn whatever_is_let_go_of_the_rest_keeps_its_order() {
        for (kept, order) in [("ace", vec!['a', 'c', 'e']), ("de", vec!['d', 'e']), ("", vec![])] {
            let mut queue = Queue::default();
            queue.extend("abcde".chars());
            queue.retain(|c| kept.contains(*c));
            assert_eq!(queue.len(), order.len());
            assert_eq!(std::iter::from_fn(|| queue.pop_front()).collect::<Vec<_>>(), order);
        }
    }
}
