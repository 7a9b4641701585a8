//! Orders and settings for the tests of the rules.
