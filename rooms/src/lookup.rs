//! A map that is asked for one key at a time. Nobody can walk through it: the order of what is
//! hashed is another in each process, and what this crate does must be repeatable.

use std::{collections::HashMap, fmt, hash::Hash};

/// With fewer it is not worth giving memory back.
const SMALL: usize = 1_024;

/// Values by keys that may be anybody's choice: SipHash with a secret key, so that nobody can
/// choose many that fall together.
#[derive(Clone)]
pub(crate) struct Lookup<K, V>(HashMap<K, V>);

impl<K: Eq + Hash, V> Lookup<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &K) {
        self.0.remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Keeps the values of which `keep` says so, and gives memory back where few are left.
    pub(crate) fn retain(&mut self, keep: impl Fn(&mut V) -> bool) {
        self.0.retain(|_, value| keep(value));
        if self.0.capacity() > SMALL.max(4 * self.0.len()) {
            self.0.shrink_to(2 * self.0.len());
        }
    }
}

impl<K: Eq + Hash + Clone, V: Default> Lookup<K, V> {
    pub(crate) fn get_or_default(&mut self, key: &K) -> &mut V {
        self.0.entry(key.clone()).or_default()
    }
}

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K, V> fmt::Debug for Lookup<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_took_is_given_back_and_the_few_are_kept() {
        let mut lookup = Lookup::<u32, u32>::default();
        for key in 0..100_000 {
            *lookup.get_or_default(&key) = key;
        }
        lookup.retain(|value| *value < 10);
        assert_eq!((lookup.len(), lookup.get(&9)), (10, Some(&9)));
        assert!(lookup.0.capacity() < SMALL, "{}", lookup.0.capacity());
        assert_eq!(format!("{lookup:?}"), "10 values");
    }
}
