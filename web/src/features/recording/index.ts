export { RecordingPart } from './RecordingPart'
