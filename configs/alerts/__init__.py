"""The alerts of every component: one module each, a function of where their links lead."""
