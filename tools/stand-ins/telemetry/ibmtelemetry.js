#!/usr/bin/env node
// Takes the place of a collector that Carbon's install scripts would start in the background.
