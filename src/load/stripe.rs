//! The part of a scenario's load that one shard does.
//!
//! Asked by each shard for itself; together they do the whole, without a dispatcher between them. It knows no shapes.

/// Shard `index` of `of`: it runs the users whose number, counted over the whole run from 0, leaves `index` when divided
/// by `of`.
///
/// ```text
/// users    0 1 2 3 4 5 6      of = 3
/// stripe 0 #     #     #      3 of 7
/// stripe 1   #     #          2 of 7
/// stripe 2     #     #        2 of 7
/// ```
///
/// At every instant the stripes are disjoint and their union is the whole, however the number of users moves; when it
/// grows or shrinks by one, one stripe changes by one and the others keep their users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stripe {
    index: u32,
    of: u32,
}

impl Stripe {
    /// Stripe `index` of `of`; `None` unless `index < of`.
    pub fn new(index: u32, of: u32) -> Option<Self> {
        (index < of).then_some(Self { index, of })
    }

    /// The one stripe that is everything.
    pub fn whole() -> Self {
        Self { index: 0, of: 1 }
    }

    /// Every stripe of a run with `of` shards, in order.
    pub fn all(of: u32) -> impl Iterator<Item = Self> {
        (0..of).map(move |index| Self { index, of })
    }

    /// Which one, counted from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Of how many; at least 1.
    pub fn of(self) -> u32 {
        self.of
    }

    /// The stripe `by` further on. Scenarios are rotated by their number: ten scenarios of one user each would otherwise
    /// all live on shard 0.
    #[must_use]
    pub fn rotated(self, by: u32) -> Self {
        let index = (u64::from(self.index) + u64::from(by)) % u64::from(self.of);
        Self { index: u32::try_from(index).expect("a remainder of a u32 is a u32"), of: self.of }
    }

    /// How many of `total` users (or iterations) are this stripe's.
    pub fn share(self, total: u64) -> u64 {
        let (index, of) = (u64::from(self.index), u64::from(self.of));
        total / of + u64::from(index < total % of)
    }

    /// The number, over the whole run, of this stripe's `local`-th user; both counted from 0.
    pub fn number(self, local: u64) -> u64 {
        local.saturating_mul(u64::from(self.of)).saturating_add(u64::from(self.index))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_stripe_outside_the_whole_does_not_exist() {
        assert_eq!(Stripe::new(3, 3), None);
        assert_eq!(Stripe::new(0, 0), None);
        assert_eq!(Stripe::new(0, 1), Some(Stripe::whole()));
    }

    proptest! {
        #[test]
        fn the_union_of_stripes_is_the_whole(of in 1u32..40, total in 0u64..500, by in any::<u32>()) {
            let mut seen = BTreeSet::new();
            for stripe in Stripe::all(of).map(|stripe| stripe.rotated(by)) {
                for local in 0..stripe.share(total) {
                    prop_assert!(seen.insert(stripe.number(local)), "two stripes run one user");
                }
            }
            prop_assert!(seen.into_iter().eq(0..total));
        }

        #[test]
        fn shares_differ_by_at_most_one_and_move_one_at_a_time(of in 1u32..200, total in 0u64..u64::MAX) {
            let shares: Vec<u64> = Stripe::all(of).map(|stripe| stripe.share(total)).collect();
            let sum: u128 = shares.iter().map(|share| u128::from(*share)).sum();
            prop_assert_eq!(sum, u128::from(total));
            let (least, most) = (shares.iter().min().expect("of > 0"), shares.iter().max().expect("of > 0"));
            prop_assert!(most - least <= 1);
            let moved: u64 = Stripe::all(of).zip(&shares).map(|(stripe, share)| stripe.share(total + 1) - share).sum();
            prop_assert_eq!(moved, 1);
        }
    }
}
