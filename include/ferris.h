/* ferris.h -- the public header of FerrisStreams. */
#ifndef FERRIS_H
#define FERRIS_H

#define FERRIS_VERSION "0.1.0"

#endif
