//! Of which orders PostgreSQL's trigram index is asked at once.
//!
//! A search wants the latest orders, and the index gives all that hold something in no order. So it
//! also holds in which ranges of order numbers a name is (migration 27): a search goes through
//! windows of two of these, the latest first and each as large as will probably do, until its page is
//! full.

/// The ranges of the index, as powers of two of order numbers.
const SIZES: [u32; 4] = [12, 14, 16, 18];

/// So many names in a range that hold what is asked for probably fill a page.
const ENOUGH: usize = 80;

/// Of more names in the smallest range, so many hold the text that it is quicker to look at the
/// latest of all.
const COMMON: usize = 300;

/// Where a range has more names than this, it is not read at once.
const READ_AT_ONCE: usize = 2000;

/// Windows that are looked through for one page.
pub(super) const MOST_WINDOWS: usize = 4;

/// How many orders a search asks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// Those of two ranges of this size.
    Ranges(u32),
    /// All that are left.
    All,
}

/// The orders that a search asks of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// What the index holds for its ranges; none for all orders.
    pub keys: Option<[String; 2]>,
    /// The first order number.
    pub from: i64,
}

impl Size {
    /// What to ask of after `looked` windows, where so many names hold what is asked for among so
    /// many order numbers; none where the latest of all orders are looked at instead.
    pub(super) fn fitting(names: usize, numbers: usize, looked: usize) -> Option<Self> {
        let expected = |size| match size {
            Self::Ranges(bits) => (names << bits) / numbers.max(1),
            Self::All => names,
        };
        if expected(Self::Ranges(SIZES[0])) > COMMON {
            return None;
        }
        // None where numbers have such gaps that not even the largest range has enough.
        let enough = |size| size == Self::All || expected(size) >= ENOUGH;
        let sizes = SIZES.map(Self::Ranges).into_iter().chain([Self::All]);
        let fitting: Vec<Self> =
            sizes.filter(|size| enough(*size) && expected(*size) <= READ_AT_ONCE).collect();
        // Each one larger than the one before: what the sample did not say shows soon.
        fitting.get(looked).or(fitting.last()).copied()
    }
}

impl Window {
    /// The window of this size that ends with the order `number`: its range, of which this may be the
    /// first number, and the one before.
    pub(super) fn of(size: Size, number: i64) -> Self {
        match size {
            Size::Ranges(bits) => {
                let range = number >> bits;
                let keys = [range, range - 1].map(|range| format!("{bits}_{range}"));
                Self { keys: Some(keys), from: (range - 1) << bits }
            }
            Size::All => Self { keys: None, from: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_as_large_as_will_probably_do_and_then_larger() {
        let sizes =
            |names, numbers| [0, 1, 2, 3].map(|looked| Size::fitting(names, numbers, looked));
        let [twelve, fourteen, sixteen, eighteen] = SIZES.map(|bits| Some(Size::Ranges(bits)));
        let all = Some(Size::All);
        assert_eq!(sizes(0, 0), [all; 4]);
        assert_eq!(sizes(200, 1_000_000), [all; 4]);
        assert_eq!(sizes(500, 1_000_000), [eighteen, all, all, all]);
        // Not all of them at once, and of more of them not even a large range.
        assert_eq!(sizes(3000, 1_000_000), [sixteen, eighteen, eighteen, eighteen]);
        assert_eq!(sizes(10_000, 1_000_000), [fourteen, sixteen, sixteen, sixteen]);
        assert_eq!(sizes(50_000, 1_000_000), [twelve, fourteen, fourteen, fourteen]);
        assert_eq!(sizes(100_000, 1_000_000), [None; 4]);
        // Numbers with large gaps: few names in any range.
        assert_eq!(sizes(1000, 1_000_000_000), [all; 4]);
        assert_eq!(sizes(5000, 1_000_000_000), [None; 4]);
    }

    #[test]
    fn a_window_is_the_range_of_a_number_and_the_one_before() {
        let window = |bits, number| Window::of(Size::Ranges(bits), number);
        let keys = |keys: [&str; 2]| Some(keys.map(str::to_owned));
        assert_eq!(window(12, 8192), Window { keys: keys(["12_2", "12_1"]), from: 4096 });
        assert_eq!(window(12, 12_287), Window { keys: keys(["12_2", "12_1"]), from: 4096 });
        assert_eq!(window(14, 12_287), Window { keys: keys(["14_0", "14_-1"]), from: -16_384 });
        assert_eq!(Window::of(Size::All, 8191), Window { keys: None, from: 0 });
    }
}
