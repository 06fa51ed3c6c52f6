//! Which vertex of each core to move first: a heap per core whose keys may be too high, never too low.

use super::level::NONE;
use crate::hypergraph::narrow;

/// Heaps of vertices, one per core, highest key first.
pub(super) struct Queues {
    key: Vec<i32>,
    place: Vec<u32>,
    heaps: Vec<Vec<u32>>,
}

impl Queues {
    /// Puts every vertex on the heap of its core.
    pub(super) fn new(core: &[u32], cores: usize, key: impl Fn(usize) -> i32) -> Self {
        let mut heaps = vec![Vec::new(); cores];
        let mut place = vec![NONE; core.len()];
        for (vertex, &core) in core.iter().enumerate() {
            let heap: &mut Vec<u32> = &mut heaps[core as usize];
            place[vertex] = narrow(heap.len());
            heap.push(narrow(vertex));
        }
        let mut queues = Self { key: (0..core.len()).map(key).collect(), place, heaps };
        for core in 0..cores {
            for place in (0..queues.heaps[core].len() / 2).rev() {
                queues.sink(core, place);
            }
        }
        queues
    }

    /// Vertices of a core that are still queued, in no order.
    pub(super) fn members(&self, core: usize) -> &[u32] {
        &self.heaps[core]
    }

    /// The first vertex of a core, and its key.
    pub(super) fn first(&self, core: usize) -> Option<(usize, i32)> {
        self.heaps[core].first().map(|&vertex| (vertex as usize, self.key[vertex as usize]))
    }

    pub(super) fn holds(&self, vertex: usize) -> bool {
        self.place[vertex] != NONE
    }

    /// Sets the key of a queued vertex.
    pub(super) fn set(&mut self, core: usize, vertex: usize, key: i32) {
        let before = std::mem::replace(&mut self.key[vertex], key);
        let place = self.place[vertex] as usize;
        match key.cmp(&before) {
            std::cmp::Ordering::Greater => self.rise(core, place),
            std::cmp::Ordering::Less => self.sink(core, place),
            std::cmp::Ordering::Equal => {}
        }
    }

    /// Sets the key of a queued vertex if that raises it.
    pub(super) fn raise(&mut self, core: usize, vertex: usize, key: i32) {
        if key > self.key[vertex] {
            self.key[vertex] = key;
            self.rise(core, self.place[vertex] as usize);
        }
    }

    /// Takes a vertex off the heap of its core.
    pub(super) fn remove(&mut self, core: usize, vertex: usize) {
        let place = self.place[vertex] as usize;
        self.place[vertex] = NONE;
        let heap = &mut self.heaps[core];
        let Some(last) = heap.pop() else { return };
        if place < heap.len() {
            heap[place] = last;
            self.place[last as usize] = narrow(place);
            self.rise(core, place);
            self.sink(core, self.place[last as usize] as usize);
        }
    }

    fn rise(&mut self, core: usize, mut place: usize) {
        let heap = &mut self.heaps[core];
        let vertex = heap[place];
        let key = self.key[vertex as usize];
        while place > 0 {
            let parent = (place - 1) / 2;
            let above = heap[parent];
            if self.key[above as usize] >= key {
                break;
            }
            heap[place] = above;
            self.place[above as usize] = narrow(place);
            place = parent;
        }
        heap[place] = vertex;
        self.place[vertex as usize] = narrow(place);
    }

    fn sink(&mut self, core: usize, mut place: usize) {
        let heap = &mut self.heaps[core];
        let vertex = heap[place];
        let key = self.key[vertex as usize];
        loop {
            let mut child = 2 * place + 1;
            if child >= heap.len() {
                break;
            }
            if child + 1 < heap.len()
                && self.key[heap[child + 1] as usize] > self.key[heap[child] as usize]
            {
                child += 1;
            }
            let below = heap[child];
            if self.key[below as usize] <= key {
                break;
            }
            heap[place] = below;
            self.place[below as usize] = narrow(place);
            place = child;
        }
        heap[place] = vertex;
        self.place[vertex as usize] = narrow(place);
    }
}
