use super::takes;

#[test]
fn a_pattern_takes_the_tags_that_it_names() {
    for pattern in ["org/app", "h:5000/org/app", "*", "org/app:stable", "org/app:*", "org/app:s*e", "a:*able"]
    {
        assert!(takes(pattern, "stable"), "{pattern}");
    }
    for pattern in ["org/app:prod", "org/app:v*", "h:5000/org/app:prod", "a:stable*x", "a:*stabl"] {
        assert!(!takes(pattern, "stable"), "{pattern}");
    }
}
