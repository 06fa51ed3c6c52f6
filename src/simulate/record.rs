//! What runs leave behind: spikes and messages of all populations, and membranes of some.

use super::spool::{Piece, Reader, Spool};
use super::{Sample, Train};
use snnc_runtime::MessageTrain;
use std::io;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Place of a sample that left nothing.
const NOWHERE: u64 = u64::MAX;

/// Keeps what samples leave behind, in a temporary file.
#[derive(Debug)]
pub(crate) struct Recorder {
    spool: Spool,
    /// Where the trains of each sample begin; `None` if they are not kept.
    trains: Option<Mutex<Vec<u64>>>,
    /// What each population sends, as the first sample shows.
    populations: OnceLock<Vec<Extent>>,
    /// Populations whose membranes are kept.
    traced: Vec<Traced>,
    /// Registers of a neuron.
    registers: usize,
    /// Steps of a trace.
    steps: usize,
    /// Where the membranes of each sample begin.
    traces: Mutex<Vec<u64>>,
}

/// A population whose membranes are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traced {
    /// Its name.
    pub(crate) name: String,
    /// Its neurons.
    pub(crate) size: usize,
}

/// Trains of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) steps: usize,
    pub(super) neurons: usize,
    pub(super) kind: Kind,
}

/// What a population sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Spikes,
    Messages,
    Bursts,
}

impl Recorder {
    /// Keeps trains of `samples` samples if `trains` is true; its file is in `folder`.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn new(folder: &Path, samples: usize, trains: bool) -> io::Result<Self> {
        let nowhere = || Mutex::new(vec![NOWHERE; samples]);
        Ok(Self {
            spool: Spool::new(folder)?,
            trains: trains.then(nowhere),
            populations: OnceLock::new(),
            traced: Vec::new(),
            registers: 0,
            steps: 0,
            traces: nowhere(),
        })
    }

    /// Keeps `registers` registers of each neuron of `populations` too, in each of `steps` steps.
    pub(crate) fn tracing(
        mut self,
        populations: Vec<Traced>,
        registers: usize,
        steps: usize,
    ) -> Self {
        self.traced = populations;
        self.registers = registers;
        self.steps = steps;
        self
    }

    /// Whether something could not be kept.
    pub(super) fn has_failed(&self) -> bool {
        self.spool.has_failed()
    }

    /// The first failure, if there was one.
    pub(super) fn check(&self) -> io::Result<()> {
        self.spool.check()
    }

    /// Takes the trains of a sample.
    pub(super) fn keep(&self, index: usize, sample: &Sample) {
        let Some(places) = &self.trains else { return };
        self.populations.get_or_init(|| sample.trains.iter().map(Train::extent).collect());
        let table = 8 * sample.trains.len() as u64;
        let lengths: Vec<u64> = sample.trains.iter().map(Train::length).collect();
        let place = self.spool.reserve(table + lengths.iter().sum::<u64>());
        places.lock().unwrap_or_else(PoisonError::into_inner)[index] = place;
        let mut piece = Piece::new(&self.spool, place);
        let mut next = place + table;
        for length in lengths {
            let bytes = next.to_le_bytes();
            bytes.as_chunks::<4>().0.iter().copied().for_each(|half| piece.four(half));
            next += length;
        }
        sample.trains.iter().for_each(|train| train.encode(&mut piece));
    }

    /// What takes the membranes of a sample; `None` if none are kept.
    pub(super) fn trace(&self, index: usize) -> Option<Tracer<'_>> {
        if self.traced.is_empty() {
            return None;
        }
        let row = |t: &Traced| 4 * (t.size * self.steps) as u64;
        let total = self.traced.iter().map(row).sum::<u64>() * self.registers as u64;
        let place = self.spool.reserve(total);
        self.traces.lock().unwrap_or_else(PoisonError::into_inner)[index] = place;
        let mut next = place;
        let mut pieces = Vec::new();
        for traced in &self.traced {
            for _ in 0..self.registers {
                pieces.push(Piece::new(&self.spool, next));
                next += row(traced);
            }
        }
        Some(Tracer { traced: &self.traced, registers: self.registers, pieces })
    }

    /// Populations whose membranes are kept.
    pub(super) fn traced(&self) -> &[Traced] {
        &self.traced
    }

    /// Steps of a trace.
    pub(super) const fn steps(&self) -> usize {
        self.steps
    }

    /// What each population sends.
    pub(super) fn populations(&self) -> &[Extent] {
        self.populations.get().map_or(&[], Vec::as_slice)
    }

    /// What reads it all.
    pub(super) fn reader(&self) -> io::Result<Reader> {
        self.spool.reader()
    }

    /// Goes to the train of a population in a sample.
    pub(super) fn go_to_train(
        &self,
        reader: &mut Reader,
        sample: usize,
        population: usize,
    ) -> io::Result<()> {
        let places = self.trains.as_ref().map(|p| p.lock().unwrap_or_else(PoisonError::into_inner));
        let place = known(places.and_then(|places| places.get(sample).copied()))?;
        reader.go(place + 8 * population as u64)?;
        let [low, high] =
            [reader.four()?, reader.four()?].map(|b| u64::from(u32::from_le_bytes(b)));
        reader.go(high << 32 | low)
    }

    /// Goes to a register of a traced population in a sample.
    pub(super) fn go_to_trace(
        &self,
        reader: &mut Reader,
        sample: usize,
        population: usize,
        register: usize,
    ) -> io::Result<()> {
        let places = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        let place = known(places.get(sample).copied())?;
        let before = self.traced[..population].iter().map(|t| t.size).sum::<usize>();
        let columns = before * self.registers + self.traced[population].size * register;
        reader.go(place + 4 * (columns * self.steps) as u64)
    }
}

fn known(place: Option<u64>) -> io::Result<u64> {
    let missing = || io::Error::other("a sample left nothing behind");
    place.filter(|&place| place != NOWHERE).ok_or_else(missing)
}

/// Takes the membranes of a sample as it runs.
pub(super) struct Tracer<'r> {
    traced: &'r [Traced],
    registers: usize,
    /// By population and register.
    pieces: Vec<Piece<'r>>,
}

impl Tracer<'_> {
    /// Takes the registers of a step: those of all neurons of all traced populations.
    pub(super) fn push<const N: usize, T: Copy>(
        &mut self,
        registers: &[[T; N]],
        bytes: impl Fn(T) -> [u8; 4],
    ) {
        let mut rest = registers;
        for (traced, pieces) in self.traced.iter().zip(self.pieces.chunks_mut(self.registers)) {
            let (own, others) = rest.split_at(traced.size);
            for (register, piece) in pieces.iter_mut().enumerate() {
                for values in own {
                    piece.four(bytes(values[register]));
                }
            }
            rest = others;
        }
    }
}

/// In each step: how many neurons send, which, and what if it is not a spike; 4 bytes each.
impl Train {
    fn extent(&self) -> Extent {
        let (steps, neurons, kind) = match self {
            Self::Spikes(t) => (t.steps(), t.neurons(), Kind::Spikes),
            Self::Messages(t) => (t.steps(), t.neurons(), Kind::Messages),
            Self::Bursts(t) => (t.steps(), t.neurons(), Kind::Bursts),
        };
        Extent { steps, neurons, kind }
    }

    /// Bytes of the encoding.
    fn length(&self) -> u64 {
        match self {
            Self::Spikes(t) => 4 * (t.steps() as u64 + t.count()),
            Self::Messages(t) => 4 * (t.steps() as u64 + 2 * t.count()),
            Self::Bursts(t) => 4 * (t.steps() as u64 + 2 * t.count()),
        }
    }

    fn encode(&self, piece: &mut Piece<'_>) {
        match self {
            Self::Spikes(train) => {
                for t in 0..train.steps() {
                    let words = train.step(t).iter();
                    piece.four(words.map(|word| word.count_ones()).sum::<u32>().to_le_bytes());
                    train.active(t).for_each(|n| piece.four(number(n).to_le_bytes()));
                }
            }
            Self::Messages(train) => encode(train, piece, i32::to_le_bytes),
            Self::Bursts(train) => encode(train, piece, f32::to_le_bytes),
        }
    }
}

fn encode<T: Copy>(train: &MessageTrain<T>, piece: &mut Piece<'_>, bytes: impl Fn(T) -> [u8; 4]) {
    for t in 0..train.steps() {
        let sent = train.step(t);
        piece.four(number(sent.len()).to_le_bytes());
        for &(n, _) in sent {
            piece.four(n.to_le_bytes());
        }
        for &(_, value) in sent {
            piece.four(bytes(value));
        }
    }
}

/// Neurons and steps are counted in 32 bits at every level.
pub(super) fn number(n: usize) -> u32 {
    u32::try_from(n).expect("a network has fewer than 2^32 neurons and steps")
}
