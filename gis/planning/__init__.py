"""WHY: the planners' questions."""
