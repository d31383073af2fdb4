#!/bin/sh
# After a kernel or an initial RAM disk was installed: GRUB reads the disk without its journal, so all of it must be at its own
# place. The first writes it there, the second makes the disk keep it.
sync
exec sync
