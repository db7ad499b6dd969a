//! L1: HTTP/1.1, strict and without IO: bytes in, events out. Every ambiguity is an error with a
//! status. The rules are FRONT-DOOR.md's; the reason for a codec of our own is there too.
//!
//! Heads stay ranges over the caller's read buffer, in a head value that is used again and again,
//! so that a kept-alive connection parses without allocating.
