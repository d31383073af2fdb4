#!/bin/sh
# After a kernel or an initial RAM disk was installed: GRUB reads the disk without its journal, so all of it must be there.
exec sync
