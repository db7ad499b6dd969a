//! L4: puts the rooms together. The only file that names every room.
