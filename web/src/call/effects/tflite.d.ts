// What is used of TensorFlow Lite as @twilio/video-processors ships it: an Emscripten module with one model.
declare module '@twilio/video-processors/dist/build/tflite-simd-1-0-0.js' {
  export interface TFLite {
    readonly HEAPU8: Uint8Array
    readonly HEAPF32: Float32Array
    _getModelBufferMemoryOffset(): number
    _loadModel(bytes: number): number
    _getInputMemoryOffset(): number
    _getInputWidth(): number
    _getInputHeight(): number
    _getOutputMemoryOffset(): number
    _runInference(): number
  }
  export default function create(options: { locateFile: (name: string) => string; print: (line: string) => void; printErr: (line: string) => void }): Promise<TFLite>
}
