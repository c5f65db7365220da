//! What was looked up lately and never changes, so that it need not be looked up again.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;

/// A memory of so many things: of more, those that were asked for longest ago are forgotten.
pub struct Lately<K: Eq + Hash, V>(Mutex<LruCache<K, V>>);

impl<K: Eq + Hash, V: Clone> Lately<K, V> {
    /// An empty memory of at most so many things; of one at least.
    pub fn new(most: usize) -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN))))
    }

    /// What is remembered, or else what `find` finds, from now on remembered. Others may look
    /// things up while it looks.
    pub fn get<E>(&self, key: K, find: impl FnOnce(&K) -> Result<Option<V>, E>) -> Result<Option<V>, E> {
        let memory = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = memory().get(&key) {
            return Ok(Some(known.clone()));
        }
        let found = find(&key)?;
        if let Some(value) = &found {
            memory().put(key, value.clone());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn what_was_asked_for_longest_ago_is_forgotten_and_what_was_not_found_is_looked_for_again() {
        let (lately, looked) = (Lately::new(2), Cell::new(0));
        let ask = |key: u32| {
            let found = lately.get(key, |key| {
                looked.set(looked.get() + 1);
                Ok::<_, Infallible>((*key != 0).then_some(key * 10))
            });
            (found.unwrap(), looked.take())
        };
        assert_eq!([ask(1), ask(2), ask(1)], [(Some(10), 1), (Some(20), 1), (Some(10), 0)]);
        assert_eq!([ask(3), ask(1), ask(2)], [(Some(30), 1), (Some(10), 0), (Some(20), 1)]);
        assert_eq!([ask(0), ask(0)], [(None, 1), (None, 1)]);
    }
}
