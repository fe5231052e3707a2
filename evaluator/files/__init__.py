"""Files and folders of this machine: pictures, JSON that others wrote, the cache folder."""
