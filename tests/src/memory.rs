//! Looking for a secret in the memory of this process.
//!
//! The memory is read through `/proc/self/mem`, so that freed parts of the heap, stacks and buffers of others are seen as they
//! are. What is looked for is known in a masked form alone, so that looking finds no copy of its own.
//!
//! ```
//! use detectviz_tests::memory::{Masked, count};
//!
//! let wanted: Masked = "fb".repeat(32).parse().expect("digits in pairs");
//! assert_eq!(count(&wanted), 0);
//! let mut held = vec![0x5e_u8; 32];
//! assert_eq!(count(&wanted), 1);
//! held.fill(0);
//! assert_eq!(count(&wanted), 0, "{held:?}");
//! ```
use std::{
    fmt,
    fs::File,
    hint::black_box,
    io::{BufRead, BufReader, Read},
    ops::Range,
    os::unix::fs::FileExt,
    str::FromStr,
};

/// What every byte is masked with.
const MASK: u8 = 0xa5;

/// How much is read at once.
const CHUNK: usize = 1 << 20;

/// Bytes to look for, of which the process holds no copy by this. Shown, and read back, as hexadecimal digits of the masked
/// bytes: that is how a child process learns what to look for.
#[derive(Clone, PartialEq, Eq)]
pub struct Masked(Vec<u8>);

/// A copy that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Where it starts.
    pub address: u64,
    /// What the kernel calls the region: `[heap]`, `[stack]`, a file, or nothing for anonymous memory.
    pub region: String,
}

/// How often `wanted` stands in the memory of this process: heap, stacks, and whatever else is writable and private, freed
/// or not. The block with which the kernel handed over the environment is left out.
///
/// # Panics
/// When the memory cannot be read, which needs Linux.
#[must_use]
pub fn count(wanted: &Masked) -> usize {
    find(wanted).len()
}

/// All copies of `wanted` that [`count`] counts.
///
/// # Panics
/// As [`count`].
#[must_use]
pub fn find(wanted: &Masked) -> Vec<Copy> {
    let environment = environment();
    let mut found = search(wanted, regions());
    found.retain(|copy| !environment.contains(&copy.address));
    found
}

/// How often `wanted` stands in the block with which the kernel handed over the environment, which stays for as long as the
/// process lives.
///
/// # Panics
/// As [`count`].
#[must_use]
pub fn count_in_environment(wanted: &Masked) -> usize {
    search(wanted, vec![(environment(), String::new())]).len()
}

fn search(wanted: &Masked, regions: Vec<(Range<u64>, String)>) -> Vec<Copy> {
    assert!(wanted.0.len() >= 8, "shorter ones are found by chance");
    let memory = File::open("/proc/self/mem").expect("our own memory can be read");
    // What was read before is overwritten, and nothing of it counts.
    let mut buffer = vec![0; CHUNK + wanted.0.len()];
    let first = buffer.as_ptr().addr() as u64;
    let ours = first..first + buffer.len() as u64;
    let mut found = Vec::new();
    for (range, name) in regions {
        let before = range.start..range.end.min(ours.start);
        let after = range.start.max(ours.end)..range.end;
        for part in [before, after].into_iter().filter(|part| !part.is_empty()) {
            let copies = in_part(&memory, &mut buffer, part, wanted);
            found.extend(copies.into_iter().map(|address| Copy {
                address,
                region: name.clone(),
            }));
        }
    }
    buffer.fill(0);
    black_box(&buffer);
    found
}

/// Where `wanted` starts in `part`. Chunks overlap by what a copy that ends in the next one can have in this one.
fn in_part(memory: &File, buffer: &mut [u8], part: Range<u64>, wanted: &Masked) -> Vec<u64> {
    let mut found = Vec::new();
    let mut at = part.start;
    while at < part.end {
        let rest = usize::try_from(part.end - at).unwrap_or(usize::MAX);
        let chunk = buffer.len().min(rest);
        let Ok(read) = memory.read_at(&mut buffer[..chunk], at) else {
            // A guard page, or a region that went away.
            break;
        };
        let last = read == chunk && chunk == rest;
        found.extend(wanted.positions(&buffer[..read]).map(|n| at + n as u64));
        let overlap = wanted.0.len() - 1;
        if last || read <= overlap {
            break;
        }
        at += (read - overlap) as u64;
    }
    found
}

/// What is mapped writable and private, and what the kernel calls it.
fn regions() -> Vec<(Range<u64>, String)> {
    let maps = File::open("/proc/self/maps").expect("our own map can be read");
    let lines = BufReader::new(maps).lines().map_while(Result::ok);
    let region = |line: String| {
        let mut words = line.split_whitespace();
        let (range, permissions) = (words.next()?, words.next()?);
        let (start, end) = range.split_once('-')?;
        let address = |text| u64::from_str_radix(text, 16).ok();
        (permissions == "rw-p").then_some(())?;
        let name = words.nth(3).unwrap_or_default().to_owned();
        Some((address(start)?..address(end)?, name))
    };
    lines.filter_map(region).collect()
}

/// Where the kernel put the environment: fields 50 and 51 of proc_pid_stat(5).
fn environment() -> Range<u64> {
    let mut stat = String::new();
    let file = File::open("/proc/self/stat");
    let read = file.and_then(|mut file| file.read_to_string(&mut stat));
    read.expect("our own state can be read");
    // The second field, in parentheses, may hold blanks.
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let mut fields = fields.split_whitespace().skip(47);
    let mut next = || fields.next().and_then(|field| field.parse().ok());
    let (start, end) = (next(), next());
    start.expect("field 50")..end.expect("field 51")
}

// === impl Masked ===

impl Masked {
    /// Masks `bytes`, of which the caller holds the only copy, if any.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|byte| byte ^ MASK).collect())
    }

    /// Where these bytes start in `memory`; two copies may overlap.
    fn positions<'a>(&'a self, memory: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        let first = self.0[0] ^ MASK;
        let mut from = 0;
        std::iter::from_fn(move || {
            loop {
                let mut rest = memory
                    .get(from..)
                    .filter(|rest| rest.len() >= self.0.len())?;
                // In the standard library, which is optimised where these tests are not.
                let skipped = rest.skip_until(first).ok()?;
                let at = from + skipped.checked_sub(1)?;
                from = at + 1;
                let there = memory.get(at..at + self.0.len())?;
                if there
                    .iter()
                    .zip(&self.0)
                    .all(|(byte, masked)| byte ^ MASK == *masked)
                {
                    return Some(at);
                }
            }
        })
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masked({self})")
    }
}

impl FromStr for Masked {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pairs = (0..text.len()).step_by(2);
        let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2).unwrap_or("?"), 16);
        pairs.map(byte).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that stand nowhere else, made without a copy of them in the program.
    fn canary(seed: u8) -> Vec<u8> {
        (0..24).map(|n: u8| n.wrapping_mul(seed) ^ 0x3c).collect()
    }

    #[test]
    fn copies_are_found_on_the_heap_on_stacks_and_across_chunks_and_not_after_they_are_wiped() {
        let wanted = {
            let mut plain = canary(37);
            let masked = Masked::new(&plain);
            plain.fill(0);
            black_box(&plain);
            masked
        };
        assert_eq!(wanted.to_string().parse(), Ok(wanted.clone()));
        assert_eq!(find(&wanted), []);
        let mut large = vec![0_u8; 3 * CHUNK];
        for at in [0, CHUNK - 7, 2 * CHUNK, 3 * CHUNK - 24] {
            for (byte, masked) in large[at..at + 24].iter_mut().zip(&wanted.0) {
                *byte = masked ^ MASK;
            }
        }
        assert_eq!(count(&wanted), 4);
        let mut stack = [0_u8; 24];
        for (byte, masked) in stack.iter_mut().zip(&wanted.0) {
            *byte = masked ^ MASK;
        }
        black_box(&stack);
        assert_eq!(count(&wanted), 5);
        stack.fill(0);
        large.fill(0);
        black_box((&stack, &large));
        assert_eq!(find(&wanted), []);
        assert_eq!(count_in_environment(&wanted), 0);
    }
}
