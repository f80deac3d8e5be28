// jsdom has no canvas; a grid under test draws nothing.
HTMLCanvasElement.prototype.getContext = () => null;
