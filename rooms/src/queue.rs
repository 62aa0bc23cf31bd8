//! A queue that takes next to nothing while nothing waits in it: of many connections most are
//! silent.

use std::collections::VecDeque;

/// What waits, first in, first out. What it took is given back when there is nothing to take out.
#[derive(Clone, Debug)]
pub struct Queue<T>(Option<Box<Waiting<T>>>);

/// In a box of its own, for a `VecDeque` is four words also while it is empty.
#[derive(Clone, Debug)]
struct Waiting<T>(VecDeque<T>);

impl<T> Queue<T> {
    /// Puts something behind what waits.
    pub fn push_back(&mut self, value: T) {
        self.waiting().push_back(value);
    }

    /// Takes out what has waited longest.
    pub fn pop_front(&mut self) -> Option<T> {
        let first = self.0.as_mut()?.0.pop_front();
        if first.is_none() {
            self.clear();
        }
        first
    }

    /// What waits, in its order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|waiting| &waiting.0)
    }

    /// How much waits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |waiting| waiting.0.len())
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// Keeps what `keep` says.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        if let Some(waiting) = &mut self.0 {
            waiting.0.retain(keep);
        }
    }

    fn waiting(&mut self) -> &mut VecDeque<T> {
        &mut self.0.get_or_insert_with(|| Box::new(Waiting(VecDeque::new()))).0
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
        let mut values = values.into_iter().peekable();
        if values.peek().is_some() {
            self.waiting().extend(values);
        }
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
        let order: Vec<i32> = std::iter::from_fn(|| queue.pop_front()).collect();
        assert_eq!(order, [1, 2, 4]);
        assert!(queue.is_empty() && queue.0.is_none());
    }
}
