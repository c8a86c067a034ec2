package link

// vectorCode is HKDF-SHA-256 of the bytes 0 to 31, computed by another program.
const vectorCode = "2bce835dabc4ff6bd25be36a2c2c811df16d062624914f28df7bd3d81058b747"
