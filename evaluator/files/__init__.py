"""Files and folders of this machine: pictures, JSON, the cache folder, atomic writing."""
