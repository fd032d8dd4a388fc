//! Planting: looking at what there is to plant on, and carrying a plan out.

mod look;
