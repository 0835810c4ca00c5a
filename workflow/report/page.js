// What a page can do beyond being read. Everything on it is there without this script.
"use strict";
