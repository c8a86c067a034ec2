export { Frame } from './Frame'
export { Boundary, ErrorNote, Loading, Obstructed, PlainPage } from './pages'
export { useFaults } from './faults'
export { useAdmissionSign } from './useAdmissionSign'
