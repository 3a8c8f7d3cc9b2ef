from centroid_matching import CentroidMatching
from sklearn.utils.estimator_checks import check_estimator

from skda import compare

expected = {"check_classifiers_classes": "the label -1 marks an unlabeled sample"}
check_estimator(CentroidMatching(), expected_failed_checks=expected)
print(compare([CentroidMatching()]).to_string())
